"""The same numbers in another arrangement: every gradient is the arrangement undone."""

import math
from typing import Any

import numpy as np

from tfs.numpy_engine.arithmetic import unbroadcast
from tfs.numpy_engine.reductions import checked_dims
from tfs.numpy_engine.tensor import Tensor, as_numpy_index, method, result


def _together(sizes: tuple) -> tuple[int, ...]:
    """reshape(2, 3) and reshape((2, 3)) are the same."""
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes


@method("view")
def reshape(x: Tensor, *shape: Any) -> Tensor:
    """The numbers in the same order; one size may be -1. Raises ValueError if they do not fit."""
    try:
        value = x.data.reshape(_together(shape))
    except ValueError:
        raise ValueError(
            f"reshape: {x.numel()} numbers of shape {x.shape} do not fit into {_together(shape)}"
        ) from None

    def _backward(grad: np.ndarray) -> tuple:
        return (grad.reshape(x.shape),)

    return result(value, "reshape", (x,), _backward)


@method()
def permute(x: Tensor, *dims: Any) -> Tensor:
    """Axes in another order. Raises ValueError unless each is named once."""
    order = checked_dims("permute", x, _together(dims))
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"permute: {_together(dims)} does not name each axis of {x.shape} once")
    value = x.data.transpose(order)

    def _backward(grad: np.ndarray) -> tuple:
        return (grad.transpose(np.argsort(order)),)

    return result(value, "permute", (x,), _backward)


@method()
def expand(x: Tensor, *shape: Any) -> Tensor:
    """Axes of size 1 repeated, new ones in front; -1 leaves one as it is; no memory is taken.

    Raises ValueError where x cannot be stretched so.
    """
    wanted = _together(shape)
    old = (1,) * (len(wanted) - x.ndim) + x.shape
    try:
        sizes = [o if w == -1 else w for w, o in zip(wanted, old, strict=True)]
        value = np.broadcast_to(x.data, sizes)
    except ValueError:
        raise ValueError(f"expand: shape {x.shape} cannot be stretched to {wanted}") from None

    def _backward(grad: np.ndarray) -> tuple:
        return (unbroadcast(grad, x.shape),)

    return result(value, "expand", (x,), _backward)


@method("__getitem__")
def index(x: Tensor, where: Any) -> Tensor:
    """Slices, whole numbers, masks, tensors of positions: what numpy takes, torch mostly does, too.

    A number that is picked several times gets a gradient from each of its copies.
    Raises ValueError for a position that is not there.
    """
    where = as_numpy_index(where)
    try:
        value = x.data[where]
    except IndexError as error:
        raise ValueError(f"index: in a tensor of shape {x.shape}, {error}") from None

    def _backward(grad: np.ndarray) -> tuple:
        spread = np.zeros_like(x.data, dtype=grad.dtype)
        if _picks_once(where):
            spread[where] = grad
        else:
            np.add.at(spread, where, grad)
        return (spread,)

    return result(value, "index", (x,), _backward)


def _picks_once(where: Any) -> bool:
    """Whether an index is made of slices and single positions only, so that nothing comes twice."""
    parts = where if isinstance(where, tuple) else (where,)
    return all(p is None or p is Ellipsis or isinstance(p, int | slice) for p in parts)


@method()
def clone(x: Tensor) -> Tensor:
    value = x.data.copy()

    def _backward(grad: np.ndarray) -> tuple:
        return (grad,)

    return result(value, "clone", (x,), _backward)


@method("swapaxes")
def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    dim0, dim1 = checked_dims("transpose", x, (dim0, dim1))
    order = list(range(x.ndim))
    order[dim0], order[dim1] = dim1, dim0
    return x.permute(order)


Tensor.T = property(lambda x: x.permute(*reversed(range(x.ndim))))


@method()
def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    if x.ndim == 0:
        return x.reshape(1)
    start, end = checked_dims("flatten", x, (start_dim, end_dim))
    return x.reshape(*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


@method()
def squeeze(x: Tensor, dim: int | None = None) -> Tensor:
    """Without axes of size 1: all of them, or `dim` if it is one."""
    dims = checked_dims("squeeze", x, dim)
    return x.reshape([size for i, size in enumerate(x.shape) if size != 1 or i not in dims])


@method()
def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at `dim`."""
    if not -x.ndim - 1 <= dim <= x.ndim:
        raise ValueError(f"unsqueeze: there is no place {dim} for an axis in shape {x.shape}")
    at = dim % (x.ndim + 1)
    return x.reshape(*x.shape[:at], 1, *x.shape[at:])
