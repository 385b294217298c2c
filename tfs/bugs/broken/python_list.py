"""Layers in a Python list."""

from collections.abc import Sequence

from torch import nn


def stacked(blocks: Sequence[nn.Module]) -> Sequence[nn.Module] | nn.ModuleList:
    """The blocks, in a container that the model knows of."""
    return list(blocks)
