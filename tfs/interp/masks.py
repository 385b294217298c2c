"""Masks: who may look at whom, and what a model does under another mask than its own.

A mask is a table [query_pos key_pos], True where the query may attend. It is the whole difference
between a model that writes and one that reads: causal lets nobody see the future, so every position
can be trained to predict the next token at once; a prefix is read in both directions and continued;
a sliding window keeps the keys and values that have to be remembered few; padding hides the tokens
that only fill up a batch. Forbidden scores become -inf, and softmax gives them a weight of 0.

`run_with_mask` asks a trained model what it does when it sees more or less than it was used to. A
large change of the loss means that its weights rely on the difference. It misleads in two ways.
The weights were not trained for the new mask, so the numbers tell nothing about a model that was.
And where a position may see the next token, its loss is no prediction at all: the answer is there.
"""

from collections.abc import Callable
from typing import Any

import torch
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.hooks import Openable
from tfs.scores import soft_capped


def causal(pos: int) -> Bool[Tensor, "query_pos key_pos"]:
    """Everyone sees itself and what came before it: a decoder (Vaswani et al. 2017, section 3.2.3).

    Raises ValueError for fewer than 1 position.
    """
    return everyone(pos).tril()


def everyone(pos: int) -> Bool[Tensor, "query_pos key_pos"]:
    """Everyone sees everyone: an encoder, as in BERT (Devlin et al. 2019, section 3).

    Raises ValueError for fewer than 1 position.
    """
    if pos < 1:
        raise ValueError(f"a mask needs at least 1 position, not {pos}")
    return torch.ones(pos, pos, dtype=torch.bool)


def padding(pos: int, n_padding: int) -> Bool[Tensor, "query_pos key_pos"]:
    """Causal, and nobody sees the last n_padding positions, which only fill up the batch.

    Padding on the right lies in the future of every real token, so a causal model gives these the
    same answers with and without it. The padding positions still ask and see the real tokens; their
    answers are thrown away. Raises ValueError where n_padding is not between 0 and pos.
    """
    if not 0 <= n_padding <= pos:
        raise ValueError(f"n_padding must lie in 0 ... {pos}, the positions, not {n_padding}")
    is_token = torch.arange(pos) < pos - n_padding
    return causal(pos) & is_token


def prefix(pos: int, n_prefix: int) -> Bool[Tensor, "query_pos key_pos"]:
    """The first n_prefix positions see each other in both directions, the rest is causal.

    A prefix language model, as in UniLM (Dong et al. 2019) and T5 (Raffel et al. 2020, section
    3.2.1): the question is read whole, the answer written left to right. Raises ValueError where
    n_prefix is not between 0 and pos.
    """
    if not 0 <= n_prefix <= pos:
        raise ValueError(f"n_prefix must lie in 0 ... {pos}, the positions, not {n_prefix}")
    in_prefix = torch.arange(pos) < n_prefix
    return causal(pos) | in_prefix  # later queries see the prefix anyway


def sliding_window(pos: int, window: int) -> Bool[Tensor, "query_pos key_pos"]:
    """Causal, and at most the last `window` keys, the query's own among them.

    Longformer's window (Beltagy et al. 2020, section 3.1) with only its left half, as in Mistral 7B
    (Jiang et al. 2023, section 2). What lies further back still arrives by way of the layers
    between, window - 1 positions a layer. Raises ValueError for a window of less than 1.
    """
    if window < 1:
        raise ValueError(f"a window holds at least the query's own key, so 1 or more, not {window}")
    return causal(pos).triu(1 - window)


def masked_softmax(
    scores: Float[Tensor, "*place query_pos key_pos"], mask: Bool[Tensor, "query_pos key_pos"]
) -> Float[Tensor, "*place query_pos key_pos"]:
    """Weights from scores: -inf where the mask forbids, then softmax over the keys.

    A query that may see nobody has no weights to share: its row is zeros, and not the NaN that
    softmax makes of a row of -inf.
    """
    weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    return weights.masked_fill(~mask, 0.0)


@torch.no_grad()
def run_with_mask(
    model: Openable, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "query_pos key_pos"]
) -> Float[Tensor, "batch pos d_vocab"]:
    """The model's logits with this mask, instead of its own, in every head of every layer.

    The scores that a run shows are masked already, and what -inf replaced is lost. So each layer's
    are computed anew from its q and k, masked by `mask`, and put in place of its pattern. Raises
    ValueError for a mask of another size than the tokens, and for a model whose positions act on
    the scores themselves (rotary, ALiBi), since q and k alone do not make them.
    """
    if mask.shape != (tokens.shape[1], tokens.shape[1]):
        raise ValueError(
            f"{tokens.shape[1]} tokens need a mask of {[tokens.shape[1]] * 2}, "
            f"but this one is {list(mask.shape)}"
        )
    if (kind := model.cfg.positional_embedding_type) not in ("standard", "sinusoidal", "none"):
        raise ValueError(
            f'positions must be "standard", "sinusoidal" or "none" to change the mask, not {kind!r}'
        )
    kept: dict[str, Tensor] = {}

    def keep(activation: Tensor, hook: Any) -> None:
        kept[hook.name[-1]] = activation  # "q" or "k"

    def mask_anew(pattern: Tensor, hook: Any) -> Tensor:
        q, k = kept["q"] / model.blocks[hook.layer()].attn.attn_scale, kept["k"]
        k = k.repeat_interleave(q.shape[2] // k.shape[2], dim=2)  # where heads share keys
        pairs = "batch query_pos head d_head, batch key_pos head d_head"
        scores = einsum(q, k, f"{pairs} -> batch head query_pos key_pos")
        cap = getattr(model.cfg, "attn_scores_soft_cap", -1.0)
        return masked_softmax(soft_capped(scores, cap), mask)

    watch = {"hook_q": keep, "hook_k": keep, "hook_pattern": mask_anew}
    layers = range(model.cfg.n_layers)
    hooks = [(f"blocks.{i}.attn.{name}", hook) for i in layers for name, hook in watch.items()]
    return model.run_with_hooks(tokens, fwd_hooks=hooks)


def open_ahead(scores: Float[Tensor, "*head query_pos key_pos"]) -> Float[Tensor, ""]:
    """The share of cells above the diagonal, keys behind their query, that the mask leaves open.

    scores: as a run shows them, closed cells at -inf. 1 for a model that sees both ways, 0 for one
    that looks back; NaN for a single position, which has nothing ahead of it.
    """
    is_open = ~torch.isneginf(scores)
    return is_open[..., ~causal(scores.shape[-1])].float().mean()


def looking_back(
    scores: Float[Tensor, "batch head query_pos key_pos"], hook: Any
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """For hook_attn_scores of a model that sees both ways: what lies ahead of a query is closed."""
    return scores.masked_fill(~causal(scores.shape[-1]), -torch.inf)


def hooks_to_look_back(n_layers: int) -> list[tuple[str, Callable]]:
    """fwd_hooks that let no layer of an encoder look ahead, as in a decoder.

    The weights were not trained for it: the answers say what this model owes to seeing both ways,
    and nothing about a model that was trained to look back.
    """
    return [(f"blocks.{layer}.attn.hook_attn_scores", looking_back) for layer in range(n_layers)]


def loss_per_position(
    logits: Float[Tensor, "batch pos d_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch predicted_pos"]:
    """-ln p(next token) at each position but the last, whose next token is not known; in nats.

    0 is certainty, ln(d_vocab) a blind guess, more than that confidence in something else. Column i
    is the loss of the prediction made at position i, of token i + 1.
    """
    log_probs = logits[:, :-1].log_softmax(-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]
