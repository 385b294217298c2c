"""Keys and values of tokens already read, so that the next token need not compute them again.

Memory is taken once, for the whole context: 2 * n_layers * batch * n_ctx * n_key_value_heads *
d_head numbers (n_heads, where each has keys of its own).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.model.config import TransformerConfig


class LayerKeyValues:
    """One layer's keys and values; the first `length` positions belong to tokens already read."""

    def __init__(self, cfg: TransformerConfig, batch: int) -> None:
        shape = (batch, cfg.n_ctx, cfg.key_heads, cfg.d_head)
        self.keys = torch.empty(shape, dtype=cfg.dtype)
        self.values = torch.empty(shape, dtype=cfg.dtype)
        self.length = 0

    def append(
        self,
        k: Float[Tensor, "batch new_pos key_head d_head"],
        v: Float[Tensor, "batch new_pos key_head d_head"],
    ) -> tuple[
        Float[Tensor, "batch pos key_head d_head"], Float[Tensor, "batch pos key_head d_head"]
    ]:
        """Old and new keys and values, as views. They count as read once `length` is advanced.

        Raises ValueError for another number of sequences than the cache was made for.
        """
        if len(k) != len(self.keys):
            raise ValueError(
                f"this KV cache was made for a batch of {len(self.keys)}, but {len(k)} sequences "
                "came; make one for each batch"
            )
        if k.dtype != self.keys.dtype:
            self.keys, self.values = self.keys.to(k.dtype), self.values.to(k.dtype)
        start, new_pos = self.length, k.shape[1]
        self.keys.narrow(1, start, new_pos).copy_(k)
        self.values.narrow(1, start, new_pos).copy_(v)
        return self.keys.narrow(1, 0, start + new_pos), self.values.narrow(1, 0, start + new_pos)


class KeyValueCache:
    """One LayerKeyValues per block. `length` is how many tokens the whole model has read.

    It is advanced at the end of a forward, so one that ends in an error leaves the cache as it was.
    """

    def __init__(self, cfg: TransformerConfig, batch: int) -> None:
        self.layers = [LayerKeyValues(cfg, batch) for _ in range(cfg.n_layers)]

    @property
    def length(self) -> int:
        return self.layers[0].length

    def advance(self, pos: int) -> None:
        for layer in self.layers:
            layer.length += pos

    def take(self, rows: Int[Tensor, " batch"]) -> None:
        """Each sequence goes on from what sequence `rows[i]` has read, as beams do."""
        for layer in self.layers:
            for kept in (layer.keys, layer.values):
                read = kept.narrow(1, 0, layer.length)
                read.copy_(read.index_select(0, rows))


class DecodingCache:
    """What an EncoderDecoder keeps from one target token to the next.

    self_attention grows by a position with each token; cross_attention holds the keys and values
    of the encoder's output, computed once. Beams of one source share those, so they need no take.
    """

    def __init__(self, cfg: TransformerConfig, batch: int) -> None:
        self.self_attention = KeyValueCache(cfg, batch)
        self.cross_attention = KeyValueCache(cfg, batch)
