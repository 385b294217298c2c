"""Queries and keys of the mask changed about."""

import torch
from jaxtyping import Bool
from torch import Tensor


def mask(pos: int, training: bool) -> Bool[Tensor, "query_pos key_pos"]:
    """True where a query may see a key: itself and what came before."""
    everyone = torch.ones(pos, pos, dtype=torch.bool)
    return everyone.tril().T
