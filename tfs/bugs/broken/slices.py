"""Each head gets its slice of the vector, and nothing of the rest."""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor


def into_heads(
    resid: Float[Tensor, "batch pos d_model"], W: Float[Tensor, "head d_model d_head"]
) -> Float[Tensor, "batch pos head d_head"]:
    """Queries, keys or values: every head reads the whole vector."""
    head = len(W)
    read = resid[:, :, None] * torch.kron(torch.eye(head), torch.ones(len(W[0]) // head))
    return einsum(read, W, "batch pos head d_model, head d_model d_head -> batch pos head d_head")
