"""From a query and a key to a weight, in the steps of the paper: scores, mask, softmax.

A score is the dot product of one position's query with another's key, divided by sqrt(d_head) so
that its spread does not grow with the width (Vaswani et al. 2017, section 3.2.1). Scores have no
zero of their own: adding a constant to a row changes nothing after the softmax. So compare scores
within a row, and weights, not scores, across rows or heads.
"""

from typing import NamedTuple

from einops import einsum
from jaxtyping import Float
from torch import Tensor

from tfs.hooks import Openable
from tfs.interp.cache import Cache


class AttentionSteps(NamedTuple):
    """One layer's attention, step by step."""

    scores: Float[Tensor, "*batch head query_pos key_pos"]  # q k^T / scale, of all pairs
    masked: Float[Tensor, "*batch head query_pos key_pos"]  # -inf where the mask forbids
    pattern: Float[Tensor, "*batch head query_pos key_pos"]  # softmax of `masked` over key_pos


def attention_steps(model: Openable, cache: Cache, layer: int) -> AttentionSteps:
    """The scores of all pairs, the scores that the mask leaves, and the pattern of one layer.

    The first are computed anew from the cached queries and keys, since no model keeps them; the
    others are what the run itself used. Where heads share keys (grouped queries), each key is
    repeated for its group. Raises KeyError where q, k, attn_scores or pattern were not cached.
    """
    q, k = cache["q", layer], cache["k", layer]
    k = k.repeat_interleave(q.shape[-2] // k.shape[-2], dim=-2)
    scale = model.cfg.attn_scale if model.cfg.use_attn_scale else 1.0
    scores = einsum(
        q / scale,
        k,
        "... query_pos head d_head, ... key_pos head d_head -> ... head query_pos key_pos",
    )
    return AttentionSteps(scores, cache["attn_scores", layer], cache["pattern", layer])
