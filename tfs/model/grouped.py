"""Grouped queries: fewer keys and values than queries, so that a KV cache holds less."""

from jaxtyping import Float
from torch import Tensor

from tfs.model.config import TransformerConfig
from tfs.model.layers import Attention


class GroupedQueryAttention(Attention):
    """Attention whose query heads share keys and values: n_key_value_heads of them, in turn.

    Ainslie et al. 2023, "GQA"; with one key head it is Shazeer 2019's multi-query attention. The
    weights are _W_K and _W_V, [n_key_value_heads d_model d_head], as in HookedTransformer; W_K and
    W_V repeat them, so that every query head has its own row there.
    """

    def make_projections(self, cfg: TransformerConfig) -> None:
        self.make_projection("Q", cfg.n_heads, cfg)
        for name in "KV":
            self.make_projection(name, cfg.key_heads, cfg, prefix="_")

    def key_weights(self) -> tuple[Tensor, Tensor]:
        return self._W_K, self._b_K

    def value_weights(self) -> tuple[Tensor, Tensor]:
        return self._W_V, self._b_V

    @property
    def W_K(self) -> Float[Tensor, "head d_model d_head"]:
        return self._W_K.repeat_interleave(self.queries_per_key, dim=0)

    @property
    def W_V(self) -> Float[Tensor, "head d_model d_head"]:
        return self._W_V.repeat_interleave(self.queries_per_key, dim=0)

    @property
    def b_K(self) -> Float[Tensor, "head d_head"]:
        return self._b_K.repeat_interleave(self.queries_per_key, dim=0)

    @property
    def b_V(self) -> Float[Tensor, "head d_head"]:
        return self._b_V.repeat_interleave(self.queries_per_key, dim=0)


def make_attention(cfg: TransformerConfig) -> Attention:
    """With keys of its own for each head, or shared where n_key_value_heads is given."""
    return GroupedQueryAttention(cfg) if cfg.n_key_value_heads else Attention(cfg)
