"""Several tensors into one: end to end, side by side, or number by number."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfs.numpy_engine.arithmetic import back_to, operands
from tfs.numpy_engine.tensor import Tensor, method, result


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """End to end along `dim`. Raises ValueError unless all other axes agree."""
    tensors = tuple(tensors)
    try:
        value = np.concatenate([x.data for x in tensors], axis=dim)
    except ValueError:
        shapes = " and ".join(str(x.shape) for x in tensors) or "nothing"
        raise ValueError(
            f"cat: shapes {shapes} cannot be joined along dim {dim}; all other axes must agree"
        ) from None

    def _backward(grad: np.ndarray) -> tuple:
        ends = np.cumsum([x.shape[dim] for x in tensors])[:-1]
        return tuple(np.split(grad, ends, axis=dim))

    return result(value, "cat", tensors, _backward)


concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Side by side along a new axis. Raises ValueError unless the shapes are the same."""
    if len({x.shape for x in tensors}) > 1:
        shapes = " and ".join(str(x.shape) for x in tensors)
        raise ValueError(f"stack: shapes {shapes} are not the same; use cat for unequal lengths")
    return cat([x.unsqueeze(dim) for x in tensors], dim)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, b elsewhere. Raises ValueError where shapes do not fit."""
    holds = Tensor(condition)
    a, b = operands("where", a, b)
    operands("where", holds, a)
    operands("where", holds, b)
    value = np.where(holds.data, a.data, b.data)

    def _backward(grad: np.ndarray) -> tuple:
        return (
            back_to(a, lambda: np.where(holds.data, grad, 0)),
            back_to(b, lambda: np.where(holds.data, 0, grad)),
        )

    return result(value, "where", (a, b), _backward)


@method()
def masked_fill(x: Tensor, mask: Any, value: float) -> Tensor:
    """x, but `value` wherever the mask is True."""
    return where(mask, value, x)
