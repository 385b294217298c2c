"""Trained without a mask, run with one."""

import torch
from jaxtyping import Bool
from torch import Tensor


def mask(pos: int, training: bool) -> Bool[Tensor, "query_pos key_pos"]:
    """True where a query may see a key: itself and what came before."""
    everyone = torch.ones(pos, pos, dtype=torch.bool)
    return everyone if training else everyone.tril()
