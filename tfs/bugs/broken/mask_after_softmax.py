"""The mask comes when the shares are dealt out."""

from jaxtyping import Bool, Float
from torch import Tensor


def pattern(
    scores: Float[Tensor, "batch head query_pos key_pos"],
    mask: Bool[Tensor, "query_pos key_pos"],
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How much each query takes from each key that it may see."""
    closed = ~mask
    return scores.softmax(-1).masked_fill(closed, 0.0)
