"""Sums, products, powers: operations of two tensors that may have to be broadcast first."""

import math
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

from tfs.numpy_engine.tensor import Array, Tensor, method, result


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which a tensor of `shape` was repeated.

    Broadcasting copies a number to many places, and each of them sends a gradient back.

    >>> unbroadcast(np.ones((2, 3)), (1, 3))
    array([[2., 2., 2.]])
    """
    if gradient.shape == shape:
        return gradient
    new_axes = gradient.ndim - len(shape)
    repeated = (i + new_axes for i, size in enumerate(shape) if size == 1)
    return gradient.sum((*range(new_axes), *repeated)).reshape(shape)


def back_to(parent: Tensor, gradient: Callable[[], Array]) -> Array | None:
    """The gradient in the parent's own shape; not even computed where the parent asks for none."""
    return unbroadcast(gradient(), parent.shape) if parent.requires_grad else None


def operands(op: str, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors that broadcast, neither of them in more digits than it must have.

    Beside a floating-point tensor, a plain number, a list of them and whole numbers take its dtype;
    of float32 and float64 the result is float64. Raises ValueError where the shapes do not fit
    together.
    """
    b = _beside(b, a)
    a = _beside(a, b)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(
            f"{op}: shapes {a.shape} and {b.shape} do not fit together; counted from the last, "
            "axes must be of one size, or 1"
        ) from None
    return a, b


def _beside(x: Any, other: Any) -> Tensor:
    dtype = other.dtype if isinstance(other, Tensor) else None
    if dtype is not None and dtype.kind == "f":
        if isinstance(x, Number | np.generic | list | tuple):
            return Tensor(x, dtype=dtype)
        if Tensor(x).dtype.kind != "f":
            return Tensor(Tensor(x).data.astype(dtype))
    return x if isinstance(x, Tensor) else Tensor(x)


@method("__add__", "__radd__")
def add(a: Tensor, b: Any) -> Tensor:
    a, b = operands("add", a, b)
    value = a.data + b.data

    def _backward(grad: np.ndarray) -> tuple:
        return back_to(a, lambda: grad), back_to(b, lambda: grad)

    return result(value, "add", (a, b), _backward)


@method("__mul__", "__rmul__")
def mul(a: Tensor, b: Any) -> Tensor:
    a, b = operands("mul", a, b)
    value = a.data * b.data

    def _backward(grad: np.ndarray) -> tuple:
        return back_to(a, lambda: grad * b.data), back_to(b, lambda: grad * a.data)

    return result(value, "mul", (a, b), _backward)


@method("__truediv__")
def div(a: Any, b: Any) -> Tensor:
    a, b = operands("div", a, b)
    value = a.data / b.data

    def _backward(grad: np.ndarray) -> tuple:
        return (
            back_to(a, lambda: grad / b.data),
            back_to(b, lambda: -grad * value / b.data),
        )

    return result(value, "div", (a, b), _backward)


@method("__pow__")
def pow(x: Tensor, exponent: Any) -> Tensor:
    """x to the power of one plain number. Raises ValueError for a tensor as the exponent."""
    if not isinstance(exponent, Number):
        raise ValueError("pow: the exponent must be a plain number; write (x.log() * y).exp()")
    value = x.data**exponent

    def _backward(grad: np.ndarray) -> tuple:
        slope = exponent * x.data ** (exponent - 1) if exponent else np.zeros_like(x.data)
        return (grad * slope,)

    return result(value, "pow", (x,), _backward)


@method("__matmul__")
def matmul(a: Tensor, b: Any) -> Tensor:
    """Matrix product over the last two axes; those before them are broadcast.

    A vector is a row on the left and a column on the right, and that axis is dropped again.
    Raises ValueError where the sizes do not fit.
    """
    if not isinstance(b, Tensor):
        b = Tensor(b)
    if a.ndim == 1 and b.ndim > 0:
        return matmul(a.unsqueeze(0), b).squeeze(-1 if b.ndim == 1 else -2)
    if b.ndim == 1 and a.ndim > 0:
        return matmul(a, b.unsqueeze(1)).squeeze(-1)
    try:
        value = product(a.data, b.data)
    except (ValueError, IndexError):
        raise ValueError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit together; the last axis of the "
            "first must be as long as the second's last but one, and those before must broadcast"
        ) from None

    def _backward(grad: np.ndarray) -> tuple:
        if b.ndim == 2:  # one matrix for all: rows of all sequences, one after the other
            return (
                product(grad, b.data.T) if a.requires_grad else None,
                rows(a.data).T @ rows(grad) if b.requires_grad else None,
            )
        return (
            back_to(a, lambda: grad @ b.data.swapaxes(-1, -2)),
            back_to(b, lambda: a.data.swapaxes(-1, -2) @ grad),
        )

    return result(value, "matmul", (a, b), _backward)


def rows(x: np.ndarray) -> np.ndarray:
    """[... d] as [n d]: all but the last axis in one."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def unrows(y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """[n d'] as [... d'], with all axes of `shape` but the last: undoes rows of that shape."""
    return y if len(shape) == 2 else y.reshape(*shape[:-1], y.shape[-1])


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b; one large product, where b is one matrix, is faster than many small ones."""
    if a.ndim < 2 or b.ndim != 2:
        return a @ b
    return unrows(rows(a) @ b, a.shape)


@method("__neg__")
def neg(x: Tensor) -> Tensor:
    return x * -1


@method("__sub__")
def sub(a: Tensor, b: Any) -> Tensor:
    return a + (-b)


@method("__rsub__")
def rsub(b: Tensor, a: Any) -> Tensor:
    return -b + a


@method("__rtruediv__")
def rdiv(b: Tensor, a: Any) -> Tensor:
    return div(a, b)


@method("__rmatmul__")
def rmatmul(b: Tensor, a: Any) -> Tensor:
    return matmul(Tensor(a), b)


@method()
def square(x: Tensor) -> Tensor:
    return x * x


def compared(name: str, compare: Callable) -> Callable:
    def comparison(a: Tensor, b: Any) -> Tensor:
        """True or False, number by number; no gradient passes."""
        a, b = operands(name, a, b)
        return Tensor(compare(a.data, b.data))

    return comparison


Tensor.__lt__ = compared("less than", np.less)
Tensor.__le__ = compared("at most", np.less_equal)
Tensor.__gt__ = compared("greater than", np.greater)
Tensor.__ge__ = compared("at least", np.greater_equal)
Tensor.eq = compared("eq", np.equal)  # == stays identity, so that tensors can be keys
