"""Norms: what each part of a block does to its copy of the stream before it reads it.

Where nobody watches, torch's fused kernels give the same numbers faster; tests hold the two equal.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig


class LayerNormPre(nn.Module):
    """Centre each vector, divide by its standard deviation (Ba et al. 2016, without w and b)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.eps = cfg.eps
        self.hook_scale = HookPoint()  # [batch pos 1]
        self.hook_normalized = HookPoint()  # [batch pos d_model]

    def forward(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        if not (self.hook_scale.is_watched() or self.hook_normalized.is_watched()):
            return torch.layer_norm(resid, resid.shape[-1:], eps=self.eps)
        return self.normalized(resid)

    def normalized(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        centred = resid - resid.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        scale = self.hook_scale((variance + self.eps).sqrt())
        return self.hook_normalized(centred / scale)


class LayerNorm(LayerNormPre):
    """LayerNormPre, then a learned weight and bias per dimension (Ba et al. 2016)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        self.w = nn.Parameter(torch.ones(cfg.d_model, dtype=cfg.dtype))
        self.b = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))

    def forward(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        if not (self.hook_scale.is_watched() or self.hook_normalized.is_watched()):
            return torch.layer_norm(resid, resid.shape[-1:], self.w, self.b, self.eps)
        return torch.addcmul(self.b, self.normalized(resid), self.w)  # normalized * w + b


class RMSNormPre(nn.Module):
    """Divide each vector by the root of its mean square, without centring it first.

    Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", equation 4, without the gain.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.eps = cfg.eps
        self.hook_scale = HookPoint()  # [batch pos 1]
        self.hook_normalized = HookPoint()  # [batch pos d_model]

    def forward(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        if not (self.hook_scale.is_watched() or self.hook_normalized.is_watched()):
            return F.rms_norm(resid, resid.shape[-1:], eps=self.eps)
        return self.normalized(resid)

    def normalized(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        mean_square = resid.square().mean(-1, keepdim=True)
        scale = self.hook_scale((mean_square + self.eps).sqrt())
        return self.hook_normalized(resid / scale)


class RMSNorm(RMSNormPre):
    """RMSNormPre, then a learned weight per dimension, the gain (Zhang & Sennrich 2019)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        self.w = nn.Parameter(torch.ones(cfg.d_model, dtype=cfg.dtype))

    def forward(self, resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        if not (self.hook_scale.is_watched() or self.hook_normalized.is_watched()):
            return F.rms_norm(resid, resid.shape[-1:], self.w, self.eps)
        return self.normalized(resid) * self.w


NORMS = {"LN": LayerNorm, "LNPre": LayerNormPre, "RMS": RMSNorm, "RMSPre": RMSNormPre}


def make_norm(cfg: TransformerConfig) -> nn.Module:
    """The norm that cfg.normalization_type names; None is the identity."""
    return NORMS[cfg.normalization_type](cfg) if cfg.normalization_type else nn.Identity()
