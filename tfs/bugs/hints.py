"""Which reading tells two labs apart, by more than another draw of their weights would."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from tfs.bugs.lab import Parts, Trained, train_lab
from tfs.bugs.readings import READINGS, Symptom, read

SLOW = "Loss of a deep post-norm lab"  # it trains a lab of its own, and all it tells others tell
QUICK = tuple(name for name in READINGS if name != SLOW)
PLAIN = 0.1  # of an axis: a difference that is seen at a glance


def quick_readings(trained: Trained) -> dict[str, Symptom]:
    """All readings but the slow one, by name."""
    return {name: read(name, trained) for name in QUICK}


def healthy_siblings() -> list[dict[str, Symptom]]:
    """The readings of three healthy labs, which differ in what was drawn at random alone."""
    return [quick_readings(train_lab(Parts(), seed=seed)) for seed in range(3)]


def apart(one: Symptom, other: Symptom) -> float:
    """The largest difference of two readings, as a share of the axis that they stand on together.

    No reading has negative numbers, so it lies between 0, for equal ones, and 1.
    """
    difference = (one.values - other.values).abs().max().item()
    return (
        difference / max(one.values.max().item(), other.values.max().item()) if difference else 0.0
    )


def telling_reading(
    one: Mapping[str, Symptom],
    other: Mapping[str, Symptom],
    siblings: Sequence[Mapping[str, Symptom]],
) -> str | None:
    """The name of the reading in which two labs differ most, or None where none does plainly.

    Siblings differ in some readings as well: as much as that is chance, and is taken off.
    """
    beyond = {name: apart(one[name], other[name]) for name in one}
    for name in beyond:
        beyond[name] -= max(apart(a[name], b[name]) for a, b in combinations(siblings, 2))
    name = max(beyond, key=lambda name: beyond[name])
    return name if beyond[name] > PLAIN else None
