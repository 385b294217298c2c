"""Operations along axes: sums, means, largest numbers, and what becomes of them, softmax."""

import math

import numpy as np

from tfs.numpy_engine.tensor import Tensor, method, result

Dim = int | tuple[int, ...] | None


def checked_dims(op: str, x: Tensor, dim: Dim) -> tuple[int, ...]:
    """Axes as numbers from 0; None is all. Raises ValueError for one that is not there."""
    dims = tuple(range(x.ndim)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    for one in dims:
        if not -x.ndim <= one < x.ndim:
            raise ValueError(f"{op}: there is no dim {one} in a tensor of shape {x.shape}")
    dims = tuple(one % x.ndim for one in dims)
    if len(set(dims)) != len(dims):
        raise ValueError(f"{op}: dim {dim} names an axis twice")
    return dims


@method()
def sum(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    dims = checked_dims("sum", x, dim)
    value = x.data.sum(dims, keepdims=keepdim)

    def _backward(grad: np.ndarray) -> tuple:
        grad = grad if keepdim else np.expand_dims(grad, dims)
        return (np.broadcast_to(grad, x.shape),)

    return result(value, "sum", (x,), _backward)


@method("max")
def amax(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest numbers, without their places; if several are largest, they share the gradient.

    Raises ValueError where there is nothing to choose from.
    """
    dims = checked_dims("amax", x, dim)
    if 0 in (x.shape[one] for one in dims):
        raise ValueError(f"amax: nothing is largest along dim {dim} of a tensor of shape {x.shape}")
    largest = x.data.max(dims, keepdims=True)
    value = largest if keepdim else largest.squeeze(dims)

    def _backward(grad: np.ndarray) -> tuple:
        is_largest = x.data == largest
        share = grad.reshape(largest.shape) / is_largest.sum(dims, keepdims=True, dtype=grad.dtype)
        return (is_largest * share,)

    return result(value, "amax", (x,), _backward)


@method()
def mean(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return x.sum(dim, keepdim) * (1 / (_count("mean", x, dim) or math.nan))


@method()
def var(x: Tensor, dim: Dim = None, keepdim: bool = False, correction: int = 1) -> Tensor:
    """Mean squared distance from the mean, n - correction taken for n, as torch does."""
    n = max(_count("var", x, dim) - correction, 0)
    return (x - x.mean(dim, keepdim=True)).square().sum(dim, keepdim) * (1 / (n or math.nan))


def _count(op: str, x: Tensor, dim: Dim) -> int:
    return math.prod(x.shape[one] for one in checked_dims(op, x, dim))


@method()
def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """exp(x) over its sum along `dim`; a row of -inf alone gives zeros (torch: NaN).

    Nobody may be looked at, in such a row of attention scores, so nothing is.
    """
    value = softmax_of(x.data, checked_dims("softmax", x, dim)[0])

    def _backward(grad: np.ndarray) -> tuple:
        share = grad * value
        share -= value * share.sum(dim, keepdims=True)
        return (share,)

    return result(value, "softmax", (x,), _backward)


def softmax_of(x: np.ndarray, axis: int) -> np.ndarray:
    """Shifted by the largest, so that exp stays within range; the rest happens in one array."""
    largest = x.max(axis, keepdims=True, initial=-np.inf)
    value = x - np.where(np.isneginf(largest), 0, largest)
    np.exp(value, out=value)
    total = value.sum(axis, keepdims=True)
    total[total == 0] = 1
    value /= total
    return value


@method()
def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """ln softmax(x), which does not overflow. As torch's: of nothing but -inf it is NaN, since
    there is no likeliest entry to measure from, where softmax says 0."""
    value = log_softmax_of(x.data, checked_dims("log_softmax", x, dim)[0])

    def _backward(grad: np.ndarray) -> tuple:
        return (grad - np.exp(value) * grad.sum(dim, keepdims=True),)

    return result(value, "log_softmax", (x,), _backward)


def log_softmax_of(x: np.ndarray, axis: int) -> np.ndarray:
    shifted = x - x.max(axis, keepdims=True, initial=-np.inf)
    shifted -= np.log(np.exp(shifted).sum(axis, keepdims=True))
    return shifted
