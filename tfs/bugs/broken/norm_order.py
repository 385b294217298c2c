"""The norm comes after the layer, before the sum."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor


def sublayer(
    resid: Float[Tensor, "batch pos d_model"], norm: Callable, layer: Callable
) -> Float[Tensor, "batch pos d_model"]:
    """The stream after a layer has read it, normalised, and added to it (Radford et al. 2019)."""
    return resid + norm(layer(resid))
