"""Softmax over the queries."""

from jaxtyping import Bool, Float
from torch import Tensor


def pattern(
    scores: Float[Tensor, "batch head query_pos key_pos"],
    mask: Bool[Tensor, "query_pos key_pos"],
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How much each query takes from each key that it may see."""
    closed = ~mask
    return scores.masked_fill(closed, -1e9).softmax(-2)
