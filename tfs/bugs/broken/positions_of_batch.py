"""Places counted along the batch."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.sinusoids import sinusoidal


def positions(
    tokens: Int[Tensor, "batch pos"], d_model: int
) -> Float[Tensor, "#batch #pos d_model"]:
    """Where each token stands, as sines and cosines (Vaswani 2017, 3.5)."""
    batch, pos = tokens.shape
    places = torch.arange(batch)[:, None]
    return sinusoidal(max(batch, pos), d_model)[places]
