"""Scores that grow with d_head."""

from einops import einsum
from jaxtyping import Float
from torch import Tensor


def scores(
    q: Float[Tensor, "batch query_pos head d_head"], k: Float[Tensor, "batch key_pos head d_head"]
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How well each query fits each key (Vaswani 2017, 3.2.1)."""
    axes = "batch query_pos head d_head, batch key_pos head d_head -> batch head query_pos key_pos"
    products = einsum(q, k, axes)
    return products
