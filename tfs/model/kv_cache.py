"""Keys and values of tokens already read, so that the next token need not compute them again.

Memory is taken once, for the whole context: 2 * n_layers * batch * n_ctx * n_heads * d_head numbers.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tfs.model.config import TransformerConfig


class LayerKeyValues:
    """One layer's keys and values; the first `length` positions are filled."""

    def __init__(self, cfg: TransformerConfig, batch: int) -> None:
        shape = (batch, cfg.n_heads, cfg.n_ctx, cfg.d_head)
        self.keys = torch.empty(shape, dtype=cfg.dtype)
        self.values = torch.empty(shape, dtype=cfg.dtype)
        self.length = 0

    def append(
        self,
        k: Float[Tensor, "batch new_pos head d_head"],
        v: Float[Tensor, "batch new_pos head d_head"],
    ) -> tuple[Float[Tensor, "batch pos head d_head"], Float[Tensor, "batch pos head d_head"]]:
        """Write the new positions after the old ones; returns views of all of them."""
        start, self.length = self.length, self.length + k.shape[1]
        self.keys[:, :, start : self.length] = k.transpose(1, 2)
        self.values[:, :, start : self.length] = v.transpose(1, 2)
        filled = slice(0, self.length)
        return self.keys[:, :, filled].transpose(1, 2), self.values[:, :, filled].transpose(1, 2)


class KeyValueCache:
    """One LayerKeyValues per block. `length` is how many tokens the model has read."""

    def __init__(self, cfg: TransformerConfig, batch: int) -> None:
        self.layers = [LayerKeyValues(cfg, batch) for _ in range(cfg.n_layers)]

    @property
    def length(self) -> int:
        return self.layers[0].length
