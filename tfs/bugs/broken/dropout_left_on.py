"""Dropout that asks nobody."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tfs.bugs.fixed import DROPOUT


def dropped(x: Float[Tensor, "*shape"], training: bool) -> Float[Tensor, "*shape"]:
    """Numbers put to zero at random, while the model is trained (Srivastava 2014)."""
    return F.dropout(x, DROPOUT)
