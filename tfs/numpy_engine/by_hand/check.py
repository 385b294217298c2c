"""Is a written gradient right? Move each number a little, and see what the output does."""

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tfs.numpy_engine.by_hand.layer import Layer

NUDGE = 1e-5  # to either side: the error of central differences falls as its square
STEPS = 256  # of float64 at the number moved, at least: a nudge below a few is lost in rounding
AGREES = 1e-6
ROUNDINGS = 4  # steps of float64 that two forwards may be off by, between them


class Compared(NamedTuple):
    """Of one array, the gradient by the written backward and by central differences.

    unsure: how far the measured one may lie from the true slope, by the width of the nudge and by
    rounding; large where numbers are.
    """

    written: np.ndarray
    measured: np.ndarray
    unsure: np.ndarray

    @property
    def apart(self) -> np.ndarray:
        return np.abs(self.written - self.measured)

    @property
    def difference(self) -> float:
        """The largest between two numbers of the same place; 0 where there are none."""
        return float(self.apart.max(initial=0))

    @property
    def agrees(self) -> bool:
        """Within a millionth: of the slope, or of 1 where the slope is below that."""
        return bool((self.apart <= AGREES * np.maximum(1, np.abs(self.measured))).all())

    @property
    def may_agree(self) -> bool:
        """So, or as near as this measuring can tell."""
        allowed = AGREES * np.maximum(1, np.abs(self.measured)) + self.unsure
        return bool((self.apart <= allowed).all())


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

    def forward() -> np.ndarray:
        return copy.deepcopy(layer).forward(*inputs)

    moved = {name: x for name, x in named.items() if x.dtype.kind == "f"} | layer.weights
    largest = max(float(np.abs(x).max(initial=0)) for x in (output, *moved.values()))
    noise = ROUNDINGS * np.spacing(largest) * np.abs(grad_output).sum()
    parts = {}
    for name, array in moved.items():
        measured = central_differences(forward, array, grad_output)
        wider = central_differences(forward, array, grad_output, times=2.0)
        unsure = np.abs(wider - measured) + noise / (2 * nudges(array))
        parts[name] = Compared(written[name], measured, unsure)
    return GradientCheck(parts)


def named_inputs(inputs: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """x, or x0, x1 where there are several."""
    return {"x" if len(inputs) == 1 else f"x{place}": x for place, x in enumerate(inputs)}


def drawn_gradient(output: np.ndarray) -> np.ndarray:
    """How L depends on each number of the output: not 1 for all, or L is a plain sum."""
    return np.random.default_rng(0).normal(size=output.shape)


def nudges(array: np.ndarray) -> np.ndarray:
    """How far each number is moved: a little, and never less than float64 can move it."""
    return np.maximum(NUDGE, STEPS * np.spacing(np.abs(array)))


def central_differences(
    forward: Callable[[], np.ndarray | float],
    array: np.ndarray,
    grad_output: np.ndarray | float = 1.0,
    times: float = 1.0,
) -> np.ndarray:
    """The slope of sum(grad_output * forward()) for each number of `array`, moved and put back.

    Outputs are taken from each other before they are summed: one that a number does not touch adds
    no rounding, however large it is. times: how many nudges to either side.
    """
    slopes = np.zeros(array.shape)
    for place, nudge in np.ndenumerate(times * nudges(array)):
        kept = array[place]
        array[place] = high = kept + nudge
        above = forward()
        array[place] = low = kept - nudge
        below = forward()
        array[place] = kept
        slopes[place] = np.sum(grad_output * (above - below)) / (high - low)
    return slopes
