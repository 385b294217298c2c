"""Is a written gradient right? Move each number a little, and see what the output does."""

import copy
from typing import NamedTuple

import numpy as np

from tfs.numpy_engine.by_hand.layer import Layer

NUDGE = 1e-5  # to either side: the error of central differences falls as its square


class Compared(NamedTuple):
    """Of one array, the gradient by the written backward and by central differences."""

    written: np.ndarray
    measured: np.ndarray

    @property
    def difference(self) -> float:
        """The largest between two numbers of the same place; 0 where there are none."""
        return float(np.abs(self.written - self.measured).max(initial=0))


class GradientCheck(NamedTuple):
    """What was compared, by the name of the input or weight."""

    parts: dict[str, Compared]

    @property
    def largest(self) -> float:
        return max((part.difference for part in self.parts.values()), default=0.0)


def gradient_check(
    layer: Layer, *inputs: np.ndarray, grad_output: np.ndarray | None = None
) -> GradientCheck:
    """The written gradients of L = sum(grad_output * layer.forward(*inputs)), and measured ones.

        dL/dx_i ~ (L(x_i + h) - L(x_i - h)) / 2 h

    The inputs are named x (or x0, x1 where there are several); integers, which cannot be moved a
    little, have no gradient. Without grad_output one is drawn: of a plain sum, many a wrong
    gradient is right by luck. Each forward runs on a copy, so that Dropout draws the same again.
    """
    inputs = tuple(np.array(x) for x in inputs)  # copies, since they are moved
    named = named_inputs(inputs)
    worked = copy.deepcopy(layer)
    output = worked.forward(*inputs)
    if grad_output is None:
        grad_output = drawn_gradient(output)
    back = worked.backward(grad_output)
    written = dict(zip(named, back if isinstance(back, tuple) else [back], strict=True))
    written |= worked.gradients

    def loss() -> float:
        return float((grad_output * copy.deepcopy(layer).forward(*inputs)).sum())

    moved = {name: x for name, x in named.items() if x.dtype.kind == "f"}
    return GradientCheck(
        {
            name: Compared(written[name], central_differences(loss, array))
            for name, array in (moved | layer.weights).items()
        }
    )


def named_inputs(inputs: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """x, or x0, x1 where there are several."""
    return {"x" if len(inputs) == 1 else f"x{place}": x for place, x in enumerate(inputs)}


def drawn_gradient(output: np.ndarray) -> np.ndarray:
    """How L depends on each number of the output: not 1 for all, or L is a plain sum."""
    return np.random.default_rng(0).normal(size=output.shape)


def central_differences(loss, array: np.ndarray) -> np.ndarray:
    """How fast `loss()` changes with each number of `array`, which is moved and put back."""
    slopes = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + NUDGE
        above = loss()
        array[place] = kept - NUDGE
        below = loss()
        array[place] = kept
        slopes[place] = (above - below) / (2 * NUDGE)
    return slopes
