"""x W + b, from whichever library multiplies faster on this machine.

torch hands float32 products to MKL, which on some processors (AMD's, for one) reaches half of what
they can do. oneDNN, which torch brings along as well, does not have that weakness, but takes longer
to start, so it is asked only where there is enough to do. On Intel's own, MKL is left to it: large
products take as long there by either, small ones less. Both give the same numbers to rounding.
"""

import platform
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

ENOUGH = 2**19  # multiply-adds: below, starting oneDNN costs more than it gains
HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
CPU_INFO = Path("/proc/cpuinfo")
MKL_IS_AT_HOME = "GenuineIntel" in (  # on the processors that it is written for
    CPU_INFO.read_text() if CPU_INFO.is_file() else platform.processor()
)


def linear(
    x: Float[Tensor, "*batch d_in"],
    W: Float[Tensor, "d_in d_out"],
    b: Float[Tensor, " d_out"] | None = None,
) -> Float[Tensor, "*batch d_out"]:
    """x W + b in one pass over memory. W is [in, out], as the papers write it, not [out, in]."""
    if x.numel() * W.shape[1] >= ENOUGH and _suits_onednn(x, W):
        return _OneDNNLinear.apply(x, W, b) if torch.is_grad_enabled() else _onednn(x, W, b)
    d_in, d_out = W.shape
    rows = x.reshape(-1, d_in)
    product = rows @ W if b is None else torch.addmm(b, rows, W)
    return product.view(*x.shape[:-1], d_out)


def add_transposed_product(
    total: Float[Tensor, "d_in d_out"],
    x: Float[Tensor, "row d_in"],
    y: Float[Tensor, "row d_out"],
) -> None:
    """total += x^T y, where it stands: part of the gradient of W, for a caller that makes its own.

    In autocast's narrower products the sum keeps the total's precision.
    """
    if MKL_IS_AT_HOME and x.dtype == y.dtype == total.dtype:
        total.addmm_(x.T, y)
    else:
        total += linear(x.T, y)


def _suits_onednn(x: Tensor, W: Tensor) -> bool:
    return (
        HAS_ONEDNN
        and not MKL_IS_AT_HOME
        and x.dtype == W.dtype == torch.float32
        and x.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()  # which chooses for itself
    )


def _onednn(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, W.T, b, "none", [], "")


class _OneDNNLinear(torch.autograd.Function):
    """Gradients of x W + b, made of the same products, so that they have gradients in turn."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, W)
        return _onednn(x, W, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, W = ctx.saved_tensors
        needs_x, needs_W, needs_b = ctx.needs_input_grad
        grad_rows, rows = grad.flatten(0, -2), x.flatten(0, -2)
        return (
            linear(grad, W.T) if needs_x else None,
            _transposed_product(rows, grad_rows) if needs_W else None,
            grad_rows.sum(0) if needs_b else None,
        )


def _transposed_product(
    x: Float[Tensor, "row d_in"], y: Float[Tensor, "row d_out"]
) -> Float[Tensor, "d_in d_out"]:
    """x^T y. oneDNN copies what it is handed transposed, so that is the narrower of the two."""
    return linear(x.T, y) if x.shape[1] <= y.shape[1] else linear(y.T, x).T


if HAS_ONEDNN:

    @register_flop_formula(torch.ops.mkldnn._linear_pointwise)
    def _onednn_flops(x_shape: torch.Size, W_shape: torch.Size, *args: Any, **kwargs: Any) -> int:
        """So that torch's FlopCounterMode counts these products as it counts all others."""
        return 2 * x_shape.numel() * W_shape[0]
