"""One feed-forward network for all blocks."""

from collections.abc import Callable

from torch import nn


def make_mlps(make_mlp: Callable[[], nn.Module], n_layers: int) -> list[nn.Module]:
    """A feed-forward network for each block."""
    return [make_mlp()] * n_layers
