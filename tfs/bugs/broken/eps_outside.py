"""Epsilon outside the square root."""

from jaxtyping import Float
from torch import Tensor

from tfs.bugs.fixed import EPS


def norm(resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
    """Each vector with mean 0 and variance 1 (Ba et al. 2016)."""
    centred = resid - resid.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return centred / (variance.sqrt() + EPS)
