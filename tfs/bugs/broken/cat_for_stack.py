"""Sequences put end to end."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor


def batched(rows: Sequence[Int[Tensor, " pos"]]) -> Int[Tensor, "batch all_pos"]:
    """Sequences of one length as a batch."""
    tokens = torch.cat(list(rows))
    return torch.atleast_2d(tokens)
