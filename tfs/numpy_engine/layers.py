"""The parts of a network: linear layers, embeddings, norms, dropout, and the MLP of a Transformer.

Linear, Embedding, LayerNorm and Dropout are torch's, for networks of any kind. The others have the
weights and hook points of TransformerLens, as tfs.model has.
"""

import math

import numpy as np
from jaxtyping import Float, Int

from tfs.numpy_engine.config import Config
from tfs.numpy_engine.hooks import HookPoint
from tfs.numpy_engine.module import Module, Parameter
from tfs.numpy_engine.nn import dropout, embedding, layer_norm, linear
from tfs.numpy_engine.tensor import Tensor

Generator = np.random.Generator


def normal(generator: Generator, std: float, *shape: int, dtype: str = "float32") -> Parameter:
    """Random weights from N(0, std)."""
    return Parameter((generator.standard_normal(shape) * std).astype(dtype))


def zeros(*shape: int, dtype: str = "float32") -> Parameter:
    return Parameter(np.zeros(shape, dtype))


class Linear(Module):
    """x weight^T + bias, weight [out in]; starts as torch's, uniform within 1 / sqrt(in).

    The weight lies in memory column by column, as a product with its transpose reads it fastest.
    """

    def __init__(
        self, n_in: int, n_out: int, bias: bool = True, seed: int = 0, dtype: str = "float32"
    ) -> None:
        generator, bound = np.random.default_rng(seed), 1 / math.sqrt(max(n_in, 1))
        drawn = generator.uniform(-bound, bound, (n_out, n_in)).astype(dtype)
        self.weight = Parameter(np.asfortranarray(drawn))
        self.bias = None
        if bias:
            self.bias = Parameter(generator.uniform(-bound, bound, n_out).astype(dtype))

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


class Embedding(Module):
    """A vector for each of n things: weight [n d]."""

    def __init__(self, n: int, d: int, seed: int = 0, dtype: str = "float32") -> None:
        self.weight = normal(np.random.default_rng(seed), 1.0, n, d, dtype=dtype)

    def forward(self, ids: Tensor) -> Tensor:
        return embedding(ids, self.weight)


class LayerNorm(Module):
    """Each vector centred and scaled to variance 1, times weight, plus bias (Ba et al. 2016)."""

    def __init__(self, d: int, eps: float = 1e-5, dtype: str = "float32") -> None:
        self.weight, self.bias = Parameter(np.ones(d, dtype)), zeros(d, dtype=dtype)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.weight, self.bias, self.eps)


class Dropout(Module):
    """Each number set to 0 with chance p while training, the others scaled up to make up for it.

    `generator` decides; a Trainer sets a new one before every step.
    """

    def __init__(self, p: float | int = 0.5, seed: int = 0) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"dropout: p must be at least 0 and below 1, not {p!r}")
        self.p = p
        self.generator = np.random.default_rng(seed)

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p, self.generator) if self.training and self.p else x


def check_tokens(tokens: Tensor, n_ctx: int) -> None:
    """Raises ValueError for what is not [batch pos], and a text that is empty or longer than
    n_ctx."""
    if tokens.ndim != 2:
        raise ValueError(
            f"tokens have two axes, batch and pos, and these have shape {tokens.shape}"
        )
    if not 1 <= tokens.shape[1] <= n_ctx:
        raise ValueError(
            f"this model reads 1 to {n_ctx} tokens (n_ctx), and these are {tokens.shape[1]}"
        )


class Embed(Module):
    """A learned vector for each token of the vocabulary: W_E, [d_vocab d_model]."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.scale = math.sqrt(cfg.d_model) if cfg.scale_embedding else None
        std = cfg.initializer_range
        self.W_E = normal(generator, std, cfg.d_vocab, cfg.d_model, dtype=cfg.dtype)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        vectors = embedding(tokens, self.W_E)
        return vectors if self.scale is None else vectors * self.scale


class PosEmbed(Module):
    """A vector for each position, W_pos [n_ctx d_model]: learned, or the sines of Vaswani et al."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        if cfg.positional_embedding_type == "sinusoidal":
            fixed = sinusoidal(cfg.n_ctx, cfg.d_model).astype(cfg.dtype)
            self.W_pos = Parameter(fixed, requires_grad=False)
        else:
            std = cfg.initializer_range
            self.W_pos = normal(generator, std, cfg.n_ctx, cfg.d_model, dtype=cfg.dtype)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        batch, pos = tokens.shape
        return self.W_pos[:pos].expand(batch, -1, -1)


def sinusoidal(n_ctx: int, d_model: int) -> Float[np.ndarray, "n_ctx d_model"]:
    """sin and cos of pos / 10000^(2i / d_model), in turn (Vaswani et al. 2017, section 3.5)."""
    column = np.arange(d_model)
    angle = np.arange(n_ctx)[:, None] / 10_000.0 ** ((column - column % 2) / d_model)
    return np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)


class Norm(Module):
    """LayerNorm with hook points; without weight and bias for "LNPre"."""

    def __init__(self, cfg: Config) -> None:
        self.eps = cfg.eps
        self.w = self.b = None
        if cfg.normalization_type == "LN":
            self.w = Parameter(np.ones(cfg.d_model, cfg.dtype))
            self.b = zeros(cfg.d_model, dtype=cfg.dtype)
        self.hook_scale = HookPoint()  # [batch pos 1]
        self.hook_normalized = HookPoint()  # [batch pos d_model]

    def forward(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        """Where nobody watches, one operation gives the same numbers faster."""
        if not (self.hook_scale.is_watched() or self.hook_normalized.is_watched()):
            return layer_norm(resid, self.w, self.b, self.eps)
        centred = resid - resid.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        scale = self.hook_scale((variance + self.eps).sqrt())
        normalized = self.hook_normalized(centred / scale)
        return normalized if self.w is None else normalized * self.w + self.b


class Identity(Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def make_norm(cfg: Config) -> Module:
    """What cfg.normalization_type names; None is the identity."""
    return Norm(cfg) if cfg.normalization_type else Identity()


class MLP(Module):
    """Two matrices, an activation between, at each position on its own (Vaswani et al., 3.3)."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.act_fn = cfg.act_fn
        std, dtype = cfg.initializer_range, cfg.dtype
        self.W_in = normal(generator, std, cfg.d_model, cfg.d_mlp, dtype=dtype)
        self.b_in = zeros(cfg.d_mlp, dtype=dtype)
        self.W_out = normal(generator, std, cfg.d_mlp, cfg.d_model, dtype=dtype)
        self.b_out = zeros(cfg.d_model, dtype=dtype)
        self.hook_pre = HookPoint()  # [batch pos d_mlp]
        self.hook_post = HookPoint()  # [batch pos d_mlp]

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        pre = self.hook_pre(x @ self.W_in + self.b_in)
        post = self.hook_post(getattr(pre, self.act_fn)())
        return post @ self.W_out + self.b_out


class Unembed(Module):
    """A logit for each token of the vocabulary: a dot product with its column of W_U, plus b_U."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        std = cfg.initializer_range
        self.W_U = normal(generator, std, cfg.d_model, cfg.d_vocab, dtype=cfg.dtype)
        self.b_U = zeros(cfg.d_vocab, dtype=cfg.dtype)
        self.hook_in = HookPoint()  # [batch pos d_model]
        self.hook_out = HookPoint()  # [batch pos d_vocab]

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        return self.hook_out(self.hook_in(x) @ self.W_U + self.b_U)


class TiedUnembed(Module):
    """An Unembed without weights of its own: W_U is W_E transposed (Press & Wolf 2017)."""

    def __init__(self, embed: Embed) -> None:
        self.seen = (embed,)  # in a tuple, so not owned: W_E is counted and saved once
        self.hook_in = HookPoint()
        self.hook_out = HookPoint()

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        return self.hook_out(self.hook_in(x) @ self.seen[0].W_E.T)
