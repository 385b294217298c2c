"""The gradient of a formula measured the slow way, and how sure that measuring is."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tfs.numpy_engine.formula import Formula, Worked

Numbers = np.ndarray | np.floating  # numpy makes these of arrays of no axis
AGREES = 1e-6
# To either side, as a share of the number. The error of central differences falls as the square of
# the nudge, and that of rounding grows as it shrinks; so wider ones are for a result so large that
# rounding drowns what a small one does.
NUDGES = (1e-6, 1e-3, 0.1)
SMALL = 1e-2  # a slope below it need not be surer than it would be
ROUNDINGS = 4  # steps of float64 that two results may be off by, between them


class Measured(NamedTuple):
    """Of one part: its slopes, how far each may lie from the true one, and the bends on the way.

    A slope is NaN, and its unsureness infinite, where the formula has no finite value to one side.
    bends: the relus, abs and max whose bend lies between the two results of a slope.
    """

    slopes: np.ndarray
    unsure: np.ndarray
    bends: tuple[str, ...]

    def agrees(self, gradient: Numbers) -> bool:
        """Whether each number is the measured one to a millionth: of it, or of 1 where measuring
        is no surer than that."""
        small = AGREES * np.maximum(1, np.abs(self.slopes))
        return self._within(gradient, np.minimum(self.unsure, small))

    def may_agree(self, gradient: Numbers) -> bool:
        """Whether each is as near as this measuring can tell."""
        return self._within(gradient, self.unsure)

    def _within(self, gradient: Numbers, unsure: Numbers) -> bool:
        apart = np.abs(gradient - self.slopes)
        return bool((apart <= AGREES * np.abs(self.slopes) + unsure).all())  # NaN is never within

    def apart(self, gradient: Numbers) -> float:
        """The largest difference, as a share of the largest slope, or of 1 where that is less."""
        return float(np.abs(gradient - self.slopes).max() / max(1.0, np.abs(self.slopes).max()))


class Slope(NamedTuple):
    """One measured slope; see Measured."""

    value: float
    unsure: float
    bends: list[str]

    @property
    def is_sure(self) -> bool:
        return self.unsure <= AGREES * max(abs(self.value), SMALL) or bool(self.bends)


def measured(formula: Formula, leaves: Mapping[str, Any], place: str) -> Measured:
    """d loss / d part by central differences: each number moved a little up and down.

    place: of the part, as in `formula.worked(leaves).parts`. Of the nudges, the first that is sure
    enough is taken, or else the surest.
    """
    value = formula.worked(leaves).parts[place][0].data

    def moved(index: tuple[int, ...], to: float) -> Worked:
        array = value.copy()
        array[index] = to
        return formula.worked(leaves, {place: array})

    found = []
    for index in np.ndindex(value.shape):
        number = float(value[index])
        best = _slope(partial(moved, index), number, NUDGES[0])
        for share in NUDGES[1:]:
            if best.is_sure:
                break
            wider = _slope(partial(moved, index), number, share)
            if wider.unsure < best.unsure and not wider.bends:
                best = wider
        found.append(best)
    return Measured(
        np.array([slope.value for slope in found]).reshape(value.shape),
        np.array([slope.unsure for slope in found]).reshape(value.shape),
        tuple(dict.fromkeys(bend for slope in found for bend in slope.bends)),
    )


def _slope(moved: Callable[[float], Worked], number: float, share: float) -> Slope:
    """Measured twice, the second time with half the nudge and so a quarter of its error.

    What that changes, doubled, is how unsure the first is, besides the rounding of the largest
    number on the way.
    """
    nudge = share * (abs(number) or 1.0)
    values, largest, bends = [], 0.0, []
    for width in (nudge, nudge / 2):
        high, low = number + width, number - width
        if high == low:
            return NO_SLOPE
        above, below = moved(high), moved(low)
        largest = max(largest, _largest(above), _largest(below))
        if not np.isfinite(largest):
            return NO_SLOPE
        values.append((above.loss.item() - below.loss.item()) / (high - low))
        bends += [name for name, side in above.bent.items() if (side != below.bent[name]).any()]
    noise = ROUNDINGS * float(np.spacing(largest)) / nudge
    return Slope(values[0], 2 * abs(values[0] - values[1]) + noise, bends)


def _largest(worked: Worked) -> float:
    """Of all that is computed, so rounded; infinite where any of it is no finite number."""
    made = [tensor.data for tensor, _ in worked.parts.values() if tensor.parents]
    arrays = [worked.loss.data, *made]
    if not all(np.isfinite(array).all() for array in arrays):
        return float("inf")
    return max(float(np.abs(array).max()) for array in arrays)


NO_SLOPE = Slope(float("nan"), float("inf"), [])
