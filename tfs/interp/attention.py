"""From a query and a key to a weight, in the steps of the paper, and on to what the head writes.

A score is the dot product of one position's query with another's key, divided by sqrt(d_head) so
that its spread does not grow with the width (Vaswani et al. 2017, section 3.2.1). Scores have no
zero of their own: adding a constant to a row changes nothing after the softmax. So compare scores
within a row, and weights, not scores, across rows or heads.

A weight is only half of what a head does. It writes weight times (v W_O), so a large weight on a
short vector moves next to nothing: heads with nothing to do rest on the first token in just this
way. `value_weighted` multiplies the two, `hide_first_token` shows what remains beside that rest.
Neither says what the written vector is for; that is a question to the layers which read it.
"""

from typing import NamedTuple

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from tfs.hooks import Openable
from tfs.interp.cache import Cache
from tfs.scores import alibi_bias, alibi_slopes, soft_capped


class AttentionSteps(NamedTuple):
    """One layer's attention, step by step."""

    scores: Float[Tensor, "*batch head query_pos key_pos"]  # q k^T / scale, of all pairs
    masked: Float[Tensor, "*batch head query_pos key_pos"]  # -inf where the mask forbids
    pattern: Float[Tensor, "*batch head query_pos key_pos"]  # softmax of `masked` over key_pos


class AttentionRoad(NamedTuple):
    """All that one head computes for one query, in the order in which it does."""

    q: Float[Tensor, "*batch d_head"]  # what this position asks for
    k: Float[Tensor, "*batch key_pos d_head"]  # what every position answers to
    raw: Float[Tensor, "*batch key_pos"]  # q . k
    scaled: Float[Tensor, "*batch key_pos"]  # raw / sqrt(d_head), or the model's own scale
    masked: Float[Tensor, "*batch key_pos"]  # capped and biased, if at all; -inf where forbidden
    weights: Float[Tensor, "*batch key_pos"]  # softmax of `masked`; sums to 1
    v: Float[Tensor, "*batch key_pos d_head"]  # what every position has to give
    z: Float[Tensor, "*batch d_head"]  # the sum of v, each by its weight
    result: Float[Tensor, "*batch d_model"]  # z W_O: what this head adds to the stream here


def queries_and_keys(
    model: Openable, cache: Cache, layer: int
) -> tuple[
    Float[Tensor, "*batch query_pos head d_head"], Float[Tensor, "*batch key_pos key_head d_head"]
]:
    """q and k as the scores are made from them: turned, where the model has rotary positions.

    Raises KeyError where they were not cached.
    """
    turned = "rot_" if model.cfg.positional_embedding_type == "rotary" else ""
    return cache[f"{turned}q", layer], cache[f"{turned}k", layer]


def attention_steps(model: Openable, cache: Cache, layer: int) -> AttentionSteps:
    """The scores of all pairs, the scores that the mask leaves, and the pattern of one layer.

    The first are computed anew from the cached queries and keys, since no model keeps them; the
    others are what the run itself used. Where heads share keys (grouped queries), each key is
    repeated for its group; rotary positions, a soft cap and ALiBi's bias are in the scores. Raises
    KeyError where q, k (rot_q, rot_k with rotary positions), attn_scores or pattern were not
    cached.
    """
    q, k = queries_and_keys(model, cache, layer)
    k = k.repeat_interleave(q.shape[-2] // k.shape[-2], dim=-2)
    scores = einsum(
        q / model.blocks[layer].attn.attn_scale,
        k,
        "... query_pos head d_head, ... key_pos head d_head -> ... head query_pos key_pos",
    )
    scores = soft_capped(scores, getattr(model.cfg, "attn_scores_soft_cap", -1.0))
    if model.cfg.positional_embedding_type == "alibi":
        slopes = alibi_slopes(model.cfg.n_heads).to(scores)
        scores = scores + alibi_bias(slopes, *scores.shape[-2:])
    return AttentionSteps(scores, cache["attn_scores", layer], cache["pattern", layer])


@torch.no_grad()
def attention_road(
    model: Openable, cache: Cache, layer: int, head: int, query_pos: int
) -> AttentionRoad:
    """One query's way through one head, from q to what is written into the residual stream.

    The steps of Vaswani et al. 2017, section 3.2.1, then W_O by head (Elhage et al. 2021, "A
    mathematical framework for transformer circuits"): the results of a layer's heads plus its b_O
    are its attn_out. q, k, v, masked and weights are what the run used; the others are computed
    from them. Raises KeyError where one of those was not cached, IndexError for a layer, head or
    position that is not there.
    """
    attn = model.blocks[layer].attn
    q, k = queries_and_keys(model, cache, layer)
    group = model.cfg.n_heads // k.shape[-2]  # query heads that share one key head
    q, k = q[..., query_pos, head, :], k[..., head // group, :]
    v = cache["v", layer][..., head // group, :]
    raw = einsum(q, k, "... d_head, ... key_pos d_head -> ... key_pos")
    weights = cache["pattern", layer][..., head, query_pos, :]
    z = einsum(weights, v, "... key_pos, ... key_pos d_head -> ... d_head")
    return AttentionRoad(
        q=q,
        k=k,
        raw=raw,
        scaled=raw / attn.attn_scale,
        masked=cache["attn_scores", layer][..., head, query_pos, :],
        weights=weights,
        v=v,
        z=z,
        result=einsum(z, attn.W_O[head], "... d_head, d_head d_model -> ... d_model"),
    )


def qk_products(
    model: Openable, cache: Cache, layer: int, head: int, query_pos: int, key_pos: int
) -> Float[Tensor, "*batch d_head"]:
    """One score taken apart: q * k / scale for each dimension of the head; they sum to the score.

    A large product is a dimension in which query and key agree, a negative one where they disagree
    (Vaswani et al. 2017, section 3.2.1). The dimensions themselves mean nothing: rotate q and k
    together and every score stays while all products change. The score is the one before the mask.
    Raises KeyError where that layer's q or k was not cached, IndexError for a head or position that
    is not there.
    """
    q, k = queries_and_keys(model, cache, layer)
    return products_of_cell(q, k, head, query_pos, key_pos) / model.blocks[layer].attn.attn_scale


def products_of_cell(
    q: Float[Tensor, "*batch query_pos head d_head"],
    k: Float[Tensor, "*batch key_pos key_head d_head"],
    head: int,
    query_pos: int,
    key_pos: int,
) -> Float[Tensor, "*batch d_head"]:
    """q * k of one query and one key, for each dimension of the head; they sum to q . k.

    q and k may be of two texts, as in cross-attention, and heads may share keys. Raises IndexError
    for a head or position that is not there.
    """
    group = q.shape[-2] // k.shape[-2]  # query heads that share one key head
    return q[..., query_pos, head, :] * k[..., key_pos, head // group, :]


def hide_first_token(
    pattern: Float[Tensor, "*place query_pos key_pos"],
) -> Float[Tensor, "*place query_pos key_pos"]:
    """The pattern without the weight on key 0, each row scaled up to sum to 1 again.

    Softmax has to spend all of its weight, so a head with nothing to look for rests it on the first
    token, which everybody can see: an attention sink (Xiao et al. 2023, "Efficient Streaming
    Language Models with Attention Sinks", section 3.1). Without it one sees how the remaining
    weight is shared. A row that had nothing else, as row 0 of a causal pattern, becomes zeros; a
    row that had next to nothing else is blown up to full size, so look at the pattern itself first.
    """
    rest = pattern.clone()
    rest[..., 0] = 0.0
    return (rest / rest.sum(-1, keepdim=True)).nan_to_num(0.0)  # 0 / 0: only key 0 was seen


@torch.no_grad()
def value_weighted(
    model: Openable, cache: Cache, layer: int
) -> Float[Tensor, "*batch head query_pos key_pos"]:
    """How much each key's vector adds at each query: the length of pattern * (v W_O).

    Kobayashi et al. 2020, "Attention is Not Only a Weight", section 3. Lengths, so a row does not
    sum to 1, and two long vectors may point against each other and cancel. They may be compared
    across the heads of a layer, which write into the same stream. b_O, which no key brings, is left
    out. Raises KeyError where v or pattern was not cached.
    """
    v, pattern = cache["v", layer], cache["pattern", layer]
    v = v.repeat_interleave(pattern.shape[-3] // v.shape[-2], dim=-2)
    written = einsum(
        v,
        model.blocks[layer].attn.W_O,
        "... key_pos head d_head, head d_head d_model -> ... head key_pos d_model",
    )
    return pattern * written.norm(dim=-1)[..., None, :]
