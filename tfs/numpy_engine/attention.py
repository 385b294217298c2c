"""Attention: every position asks, every position that it may see answers and gives.

Vaswani et al. 2017, section 3.2, in the per-head form of Elhage et al. 2021.
"""

import numpy as np
from jaxtyping import Bool, Float

from tfs.numpy_engine.config import Config
from tfs.numpy_engine.einsum import einsum
from tfs.numpy_engine.hooks import HookPoint
from tfs.numpy_engine.layers import Generator, normal, zeros
from tfs.numpy_engine.module import Module
from tfs.numpy_engine.tensor import Tensor

INTO_HEADS = "batch pos d_model, head d_model d_head -> batch pos head d_head"
SCORES = "batch query_pos head d_head, batch key_pos head d_head -> batch head query_pos key_pos"
WEIGHTED = "batch head query_pos key_pos, batch key_pos head d_head -> batch query_pos head d_head"
EACH_HEAD = "batch pos head d_head, head d_head d_model -> batch pos head d_model"
OUT_OF_HEADS = "batch pos head d_head, head d_head d_model -> batch pos d_model"


def causal_mask(pos: int) -> Bool[np.ndarray, "query_pos key_pos"]:
    """True where a query may attend: to itself and to what came before it."""
    return np.tri(pos, dtype=bool)


def padding_mask(is_token: np.ndarray) -> Bool[np.ndarray, "batch 1 1 key_pos"]:
    """True where there is a token to attend to; is_token [batch pos] is 0 where there is none."""
    return np.asarray(is_token, dtype=bool)[:, None, None, :]


class Attention(Module):
    """The three inputs are one tensor in self-attention and two in cross-attention."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.attn_scale = cfg.attn_scale if cfg.use_attn_scale else 1.0
        self.use_attn_result = cfg.use_attn_result
        std, dtype = cfg.initializer_range, cfg.dtype
        for name in "QKV":
            weight = normal(generator, std, cfg.n_heads, cfg.d_model, cfg.d_head, dtype=dtype)
            setattr(self, f"W_{name}", weight)
            setattr(self, f"b_{name}", zeros(cfg.n_heads, cfg.d_head, dtype=dtype))
        self.W_O = normal(generator, std, cfg.n_heads, cfg.d_head, cfg.d_model, dtype=dtype)
        self.b_O = zeros(cfg.d_model, dtype=dtype)
        self.hook_q = HookPoint()  # [batch query_pos head d_head]
        self.hook_k = HookPoint()  # [batch key_pos head d_head]
        self.hook_v = HookPoint()  # [batch key_pos head d_head]
        self.hook_attn_scores = HookPoint()  # [batch head query_pos key_pos]
        self.hook_pattern = HookPoint()  # [batch head query_pos key_pos]
        self.hook_z = HookPoint()  # [batch query_pos head d_head]
        self.hook_result = HookPoint()  # [batch query_pos head d_model], if use_attn_result

    def forward(
        self,
        query_input: Float[Tensor, "batch query_pos d_model"],
        key_input: Float[Tensor, "batch key_pos d_model"],
        value_input: Float[Tensor, "batch key_pos d_model"],
        mask: Bool[np.ndarray, "*batch_and_head #query_pos key_pos"] | None,
    ) -> Float[Tensor, "batch query_pos d_model"]:
        """softmax(q k^T / scale) v; mask: True where query_pos may attend to key_pos, None: all.

        A query that may see nobody has a pattern of zeros, and reads nothing.
        """
        q = self.hook_q(einsum(query_input, self.W_Q, INTO_HEADS) + self.b_Q)
        k = self.hook_k(einsum(key_input, self.W_K, INTO_HEADS) + self.b_K)
        v = self.hook_v(einsum(value_input, self.W_V, INTO_HEADS) + self.b_V)
        scores = einsum(q / self.attn_scale, k, SCORES)
        if mask is not None:
            scores = scores.masked_fill(~mask, -np.inf)
        pattern = self.hook_pattern(self.hook_attn_scores(scores).softmax(-1))
        z = self.hook_z(einsum(pattern, v, WEIGHTED))
        if self.use_attn_result:
            return self.hook_result(einsum(z, self.W_O, EACH_HEAD)).sum(-2) + self.b_O
        return einsum(z, self.W_O, OUT_OF_HEADS) + self.b_O
