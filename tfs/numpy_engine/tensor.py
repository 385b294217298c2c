"""A numpy array that remembers where it came from, so that gradients can find their way back.

An operation on tensors makes a new tensor that holds its value, the operation's name (`op`), the
tensors it was made from (`parents`), and a function that takes the gradient of some loss with
respect to the value and returns one gradient for each parent. That is all a graph is; walking it
backwards is in graph.py, and the operations are in the files beside this one. Every one of them
reads the same way: the value, `_backward`, `result`.

Names and meanings are torch's, but for these: == asks whether two are one and the same tensor (sets
of nodes need that), max(dim) gives the numbers without their places, backward may be called again
without being told so before, and softmax of nothing but -inf is 0. Numbers stay in the precision
that they came in: a float32 tensor times 2.0 is float32.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

Array = np.ndarray | np.generic  # numpy makes the second of what has no axes
Backward = Callable[[np.ndarray], tuple[Array | None, ...]]
RECORDS: ContextVar[bool] = ContextVar("records", default=True)


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside the `with`, in this thread, operations leave no trace and tensors may be changed."""
    token = RECORDS.set(False)
    try:
        yield
    finally:
        RECORDS.reset(token)


class Tensor:
    """An array, and how it was made.

    data           the numbers; what is no numpy array yet becomes float32, int64 or bool
    requires_grad  whether backward should find a gradient for it, or for what it was made from
    grad           that gradient, a Tensor, summed over all backward calls; None before the first.
                   Only leaves (no operation made them) keep theirs, and who called retain_grad
    op, parents    the operation that made it and what from; "" and () for a leaf

    Changing `data` through numpy is not noticed. Changing a tensor by `x[...] = values`, add_,
    copy_, `x.data = values` and so on is: backward refuses a graph whose numbers are not those it
    was computed with. Raises ValueError for what holds no numbers, and where a tensor of whole
    numbers is to have a gradient.
    """

    __array_ufunc__ = None  # array * tensor asks the tensor

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(data, Tensor):
            data = data.data
        try:
            array = np.asarray(data, dtype=dtype)
        except (ValueError, TypeError):
            raise ValueError("a Tensor needs numbers, in rows of one length") from None
        if dtype is None and array.dtype == np.float64 and not isinstance(data, NUMPY):
            array = array.astype(np.float32)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"a Tensor holds numbers, not {array.dtype}; give it numbers")
        if requires_grad and array.dtype.kind != "f":
            raise ValueError(
                f"only floating-point tensors can have a gradient, and this one is {array.dtype}; "
                "make it float32 or float64 first"
            )
        self._data = array
        self._version = [0]  # changes so far; views of the same numbers share the list
        self.requires_grad = requires_grad
        self.retains_grad = False
        self.grad: Tensor | None = None
        self.op = ""
        self.parents: tuple[Tensor, ...] = ()
        self._backward: Backward | None = None
        self.made_with: list[int] = []  # versions of the parents, then its own

    @property
    def data(self) -> np.ndarray:
        return self._data

    @data.setter
    def data(self, array: np.ndarray) -> None:
        self._data = np.asarray(array)
        self._version[0] += 1

    @property
    def version(self) -> int:
        return self._version[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def is_leaf(self) -> bool:
        return self._backward is None

    def numel(self) -> int:
        return self._data.size

    def size(self, dim: int | None = None) -> tuple[int, ...] | int:
        return self.shape if dim is None else self.shape[dim]

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a tensor without axes has no length; item() gives its number")
        return len(self._data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __repr__(self) -> str:
        how = f", made by {self.op}" if self.op else ", requires_grad" * self.requires_grad
        return f"Tensor({np.array2string(self._data, separator=', ')}, {self.dtype}{how})"

    def item(self) -> float | int | bool:
        """The only number. Raises ValueError where there are several, or none."""
        if self.numel() != 1:
            raise ValueError(f"item() needs exactly one number; this has shape {self.shape}")
        return self._data.item()

    def numpy(self) -> np.ndarray:
        """The array itself. Raises ValueError where a gradient would lose its way."""
        if self.requires_grad:
            raise ValueError(
                "this tensor is part of a graph, which numpy knows nothing of; use detach().numpy()"
            )
        return self._data

    def tolist(self) -> Any:
        return self._data.tolist()

    def detach(self) -> "Tensor":
        """The same numbers, in the same memory, without a past."""
        out = Tensor(self._data)
        out._version = self._version
        return out

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """In place, and for leaves only. Raises ValueError for other tensors."""
        if not self.is_leaf:
            raise ValueError(f"only a leaf can be told whether to have a gradient, not {self.op}")
        self.requires_grad = Tensor(self._data, requires_grad).requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor, too, though an operation made it."""
        self.retains_grad = True

    def zero_grad(self) -> None:
        self.grad = None

    def __setitem__(self, index: Any, values: Any) -> None:
        """Change it in place. Raises ValueError where a gradient flows, unless under no_grad()."""
        if self.requires_grad and RECORDS.get():
            raise ValueError(
                "a tensor that takes part in a graph cannot be changed in place; change it inside "
                "no_grad(), or make a new one with where() or masked_fill()"
            )
        self._data[as_numpy_index(index)] = _plain(values)
        self._version[0] += 1

    def copy_(self, values: Any) -> "Tensor":
        self[...] = values
        return self

    def add_(self, values: Any) -> "Tensor":
        return self.copy_(self._data + _plain(values))

    def mul_(self, values: Any) -> "Tensor":
        return self.copy_(self._data * _plain(values))

    def zero_(self) -> "Tensor":
        return self.copy_(0)


NUMPY = (Tensor, np.ndarray, np.generic)


def _plain(values: Any) -> Any:
    return values.data if isinstance(values, Tensor) else values


def result(value: Array, op: str, parents: tuple[Tensor, ...], backward: Backward) -> Tensor:
    """What an operation returns: its value, and, where a parent needs a gradient, how to go back.

    backward: the gradient with respect to the value -> one for each parent, of the parent's shape;
    None for a parent that asks for none.
    """
    out = Tensor(value)
    is_view = out._data.base is not None
    for parent in parents:
        if out._data is parent._data or (is_view and np.may_share_memory(out._data, parent._data)):
            out._version = parent._version
    if RECORDS.get() and True in [parent.requires_grad for parent in parents]:
        out.requires_grad, out.op, out.parents, out._backward = True, op, parents, backward
        out.made_with = versions(out)
    return out


def versions(tensor: Tensor) -> list[int]:
    """How often the numbers of the parents, and its own, have been changed in place by now."""
    return [one._version[0] for one in (*tensor.parents, tensor)]


def method(*other_names: str) -> Callable[[Callable], Callable]:
    """A function of tensors that is a method of the first one as well, by its name and others."""

    def add(function: Callable) -> Callable:
        for name in (function.__name__, *other_names):
            setattr(Tensor, name, function)
        return function

    return add


def as_numpy_index(index: Any) -> Any:
    """An index whose tensors, if any, have become arrays."""
    if isinstance(index, tuple):
        return tuple(as_numpy_index(part) for part in index)
    return index.data if isinstance(index, Tensor) else index
