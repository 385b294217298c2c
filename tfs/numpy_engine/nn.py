"""Operations that layers need as a whole: one step forward and one back, with few copies."""

import numpy as np

from tfs.numpy_engine.arithmetic import rows, unbroadcast, unrows
from tfs.numpy_engine.tensor import Tensor, result


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x weight^T + bias, for x [... in], weight [out in], bias [out].

    Written with .T, @ and + it would be three nodes, and the weight's gradient could come out the
    other way round in memory than the weight, which makes every step of an optimiser slow: here it
    lies as the weight does. Raises ValueError where the sizes do not fit.
    """
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: shapes {x.shape} and {weight.shape} do not fit together; the last axes of "
            "the input and of the weight must be of one size"
        )
    value = rows(x.data) @ weight.data.T
    if bias is not None:
        value += bias.data
    value = unrows(value, x.shape)

    def _backward(grad: np.ndarray) -> tuple:
        grad = rows(grad)
        return (
            unrows(grad @ weight.data, x.shape) if x.requires_grad else None,
            _outer_sum(grad, rows(x.data), weight.data) if weight.requires_grad else None,
            grad.sum(0) if bias is not None and bias.requires_grad else None,
        )[: 2 if bias is None else 3]

    return result(value, "linear", (x, weight) if bias is None else (x, weight, bias), _backward)


def _outer_sum(grad: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum_n grad[n out] x[n in], in the order of memory that the weight [out in] has."""
    return grad.T @ x if weight.flags.c_contiguous else (x.T @ grad).T


def embedding(ids: Tensor, weight: Tensor) -> Tensor:
    """The rows of `weight` [d_vocab d_model] that ids [...] name: [... d_model].

    A row that is looked up several times gets a gradient from each. Raises ValueError for ids that
    are not whole numbers, or name no row.
    """
    if ids.dtype.kind not in "iu":
        raise ValueError(f"embedding: ids are whole numbers, not {ids.dtype}")
    if ids.numel() and not (0 <= ids.data.min() and ids.data.max() < len(weight)):
        raise ValueError(
            f"token ids must lie in 0 ... {len(weight) - 1} (d_vocab is {len(weight)}), but these "
            f"run from {ids.data.min()} to {ids.data.max()}"
        )
    value = weight.data[ids.data]

    def _backward(grad: np.ndarray) -> tuple:
        return (added_by_row(ids.data.reshape(-1), rows(grad), len(weight)),)

    return result(value, "embedding", (weight,), _backward)


def added_by_row(ids: np.ndarray, vectors: np.ndarray, n_rows: int) -> np.ndarray:
    """[n_rows d]: in each row the sum of the vectors [n d] whose id [n] it is.

    np.add.at in another way: with equal ids side by side, each run of them is added up at once.
    """
    added = np.zeros((n_rows, vectors.shape[1]), dtype=vectors.dtype)
    if len(ids):
        order = ids.argsort(kind="stable")
        found, starts = np.unique(ids[order], return_index=True)
        added[found] = np.add.reduceat(vectors[order], starts, axis=0)
    return added


def layer_norm(x: Tensor, w: Tensor | None, b: Tensor | None, eps: float = 1e-5) -> Tensor:
    """Each vector centred, divided by its standard deviation, times w plus b if given.

    Moving a vector along (1, ..., 1) changes nothing here, and moving it along itself next to
    nothing (nothing, were eps 0): so backward takes these two directions out of the gradient.
    Raises ValueError where w or b is not one number for each of the last axis.
    """
    for given in (w, b):
        if given is not None and given.shape != x.shape[-1:]:
            raise ValueError(
                f"layer_norm: shapes {x.shape} and {given.shape} do not fit together; w and b have "
                "one number for each entry of the last axis"
            )
    normalized = x.data - x.data.mean(-1, keepdims=True)
    variance = np.einsum("...i,...i->...", normalized, normalized)[..., None] / x.shape[-1]
    scale = np.sqrt(variance + eps)
    normalized /= scale
    value = normalized if w is None else normalized * w.data
    if b is not None:
        value = value + b.data

    def _backward(grad: np.ndarray) -> tuple:
        inner = grad if w is None else grad * w.data
        along = np.einsum("...i,...i->...", inner, normalized)[..., None] / x.shape[-1]
        share = inner - inner.mean(-1, keepdims=True)
        share -= normalized * along
        share /= scale
        of_w = None if w is None else (unbroadcast(grad * normalized, w.shape),)
        return share, *(of_w or ()), *(() if b is None else (unbroadcast(grad, b.shape),))

    return result(value, "layer_norm", tuple(p for p in (x, w, b) if p is not None), _backward)


def dropout(x: Tensor, p: float | int, generator: np.random.Generator) -> Tensor:
    """Each number set to 0 with chance p, the others divided by 1 - p (Srivastava et al. 2014)."""
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p must be at least 0 and below 1, not {p!r}")
    kept = (generator.random(x.shape) >= p).astype(x.dtype) / (1 - p)
    return x * Tensor(kept)
