"""Sums of products over named axes: einsum("batch pos d_model, d_model d_mlp -> batch pos d_mlp").

An axis that is named on the left only is summed over. Between two tensors that is a matrix product
in disguise: put the axes that both have and that stay in front, those that stay of each alone, and
those that are summed over, in one axis each, and multiply. Of more than two tensors, one after the
other is taken in. The gradient of a sum of products is one as well: that of a tensor is the
gradient times all the others, over the same names.
"""

from math import prod
from typing import Any

import numpy as np

from tfs.numpy_engine.tensor import Array, Tensor, result

Axes = tuple[str, ...]


def einsum(*tensors_and_spec: Any) -> Tensor:
    """Words with the spec last, as in einops, or letters with the spec first, as in torch:

    einsum(x, W, "batch pos d_model, d_model d_mlp -> batch pos d_mlp")
    einsum("bpm,mh->bph", x, W)

    Raises ValueError where the spec cannot be read, or does not fit the shapes.
    """
    spec_first = isinstance(tensors_and_spec[0], str)
    spec = tensors_and_spec[0 if spec_first else -1]
    given = tensors_and_spec[1:] if spec_first else tensors_and_spec[:-1]
    tensors = tuple(x if isinstance(x, Tensor) else Tensor(x) for x in given)
    inputs, output = parsed(spec, letters=spec_first)
    sizes = _sizes(spec, inputs, output, tensors)
    value = contracted([(x.data, axes) for x, axes in zip(tensors, inputs, strict=True)], output)

    def _backward(grad: np.ndarray) -> tuple:
        return tuple(
            _share(i, grad, tensors, inputs, output, sizes) if x.requires_grad else None
            for i, x in enumerate(tensors)
        )

    return result(value, "einsum", tensors, _backward)


def parsed(spec: Any, letters: bool) -> tuple[list[Axes], Axes]:
    """The names of each input's axes, and of the output's. Raises ValueError for a strange spec."""
    if not isinstance(spec, str):
        raise ValueError("einsum: the first or the last argument says, in a str, which axes meet")
    if spec.count("->") != 1 or "." in spec:
        raise ValueError(f"einsum: write names on both sides of one '->', not {spec!r}")
    left, right = spec.split("->")
    into = list if letters else str.split
    inputs = [tuple(into(part.strip())) for part in left.split(",")]
    output = tuple(into(right.strip()))
    for axes in (*inputs, output):
        if len(set(axes)) != len(axes):
            raise ValueError(f"einsum: {spec!r} names an axis twice in one place")
    return inputs, output


def _sizes(spec: str, inputs: list[Axes], output: Axes, tensors: tuple) -> dict[str, int]:
    shapes = [x.shape for x in tensors]
    pairs = [
        (name, size)
        for axes, shape in zip(inputs, shapes, strict=False)
        for name, size in zip(axes, shape, strict=False)
    ]
    fits = [len(axes) for axes in inputs] == [len(shape) for shape in shapes]
    if not fits or len(set(pairs)) != len(dict(pairs)) or not set(output) <= set(dict(pairs)):
        shown = " and ".join(map(str, shapes))
        raise ValueError(f"einsum: shapes {shown} do not fit {spec!r}")
    return dict(pairs)


def contracted(parts: list[tuple[Array, Axes]], output: Axes) -> np.ndarray:
    """The sum of products of named arrays, taken in one after the other."""
    x, axes = parts[0]
    for i, (y, y_axes) in enumerate(parts[1:], 2):
        needed = {*output, *(name for _, later in parts[i:] for name in later)}
        x, axes = _contracted_pair(x, axes, y, y_axes, needed)
    x, axes = _summed(x, axes, set(output))
    return np.asarray(x).transpose([axes.index(name) for name in output])


def _summed(x: Array, axes: Axes, kept: set[str]) -> tuple[Array, Axes]:
    gone = tuple(i for i, name in enumerate(axes) if name not in kept)
    return (x.sum(gone) if gone else x), tuple(name for name in axes if name in kept)


def _contracted_pair(
    a: Array, a_axes: Axes, b: Array, b_axes: Axes, needed: set[str]
) -> tuple[np.ndarray, Axes]:
    a, a_axes = _summed(a, a_axes, {*b_axes, *needed})
    b, b_axes = _summed(b, b_axes, {*a_axes, *needed})
    shared = [name for name in a_axes if name in b_axes]
    both = [name for name in shared if name in needed]
    over = [name for name in shared if name not in needed]
    of_a = [name for name in a_axes if name not in shared]
    of_b = [name for name in b_axes if name not in shared]
    size = dict(zip(a_axes, a.shape, strict=True)) | dict(zip(b_axes, b.shape, strict=True))

    def arranged(x: Array, axes: Axes, *groups: list[str]) -> np.ndarray:
        order = [axes.index(name) for group in groups for name in group]
        front = [size[name] for name in groups[0]]
        return x.transpose(order).reshape(
            *front, *(prod(size[name] for name in group) for group in groups[1:])
        )

    together = arranged(a, a_axes, both, of_a, over) @ arranged(b, b_axes, both, over, of_b)
    axes = (*both, *of_a, *of_b)
    return together.reshape([size[name] for name in axes]), axes


def _share(
    i: int,
    grad: np.ndarray,
    tensors: tuple,
    inputs: list[Axes],
    output: Axes,
    sizes: dict[str, int],
) -> np.ndarray:
    """The gradient of input i. An axis that it alone has was summed: all along it get the same."""
    others = [(x.data, axes) for x, axes in zip(tensors, inputs, strict=True)]
    del others[i]
    known = {*output, *(name for _, axes in others for name in axes)}
    found = contracted([(grad, output), *others], tuple(n for n in inputs[i] if n in known))
    alone = [axis for axis, name in enumerate(inputs[i]) if name not in known]
    return np.broadcast_to(np.expand_dims(found, alone), [sizes[name] for name in inputs[i]])
