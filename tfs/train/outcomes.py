"""What came out of an experiment: curves by label over the seeds, and the numbers of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfs.train.checkpoint import read_config
from tfs.train.experiment import PlannedRun
from tfs.train.run import read_metrics

MEASURES = {
    "held-out loss": ("held_out", "loss"),
    "accuracy": ("held_out", "accuracy"),
    "exact": ("held_out", "exact"),
    "accuracy on seen": ("seen", "accuracy"),
    "loss on seen": ("seen", "loss"),
}
Curve = tuple[list[int], list[float]]  # steps, and the value at each


class Spread(NamedTuple):
    """One number of several runs."""

    mean: float
    least: float
    most: float


class Outcome(NamedTuple):
    """One combination of choices, over those of its seeds that were evaluated at least once."""

    labels: dict[str, str]  # axis -> choice
    seeds: list[int]
    curves: dict[str, list[Curve]]  # measure -> a curve for each seed; only what was measured
    last: dict[str, Spread]  # measure -> its last value, over the seeds
    reached: list[int | None]  # for each seed, the first step with accuracy >= threshold

    @property
    def name(self) -> str:
        return ", ".join(self.labels.values())


def results(
    runs: Sequence[PlannedRun], directories: Sequence[Path | None], threshold: float = 0.99
) -> list[Outcome]:
    """One Outcome for each combination, in the order of the runs.

    directories: where each run is (config.json, metrics.jsonl); None where it has not begun.
    Raises ValueError where a directory holds the run of another model.
    """
    outcomes: list[Outcome] = []
    for run, directory in zip(runs, directories, strict=True):
        if not outcomes or outcomes[-1].labels != run.labels:
            outcomes.append(Outcome(run.labels, [], {}, {}, []))
        if directory is None or not (lines := _evaluated(run, directory)):
            continue
        outcome = outcomes[-1]
        outcome.seeds.append(run.seed)
        for measure, (part, field) in MEASURES.items():
            if curve := _curve(lines, part, field):
                outcome.curves.setdefault(measure, []).append(curve)
        outcome.reached.append(first_step(lines, threshold))
    return [
        outcome._replace(last={m: spread(c) for m, c in outcome.curves.items()})
        for outcome in outcomes
    ]


def first_step(lines: Sequence[Mapping[str, Any]], threshold: float) -> int | None:
    """The first evaluation whose held-out accuracy is at least `threshold`; None if there is none.

    It is as fine as eval_every: what happened between two evaluations is not known.
    """
    for line in lines:
        accuracy = line["held_out"]["accuracy"]
        if accuracy is not None and accuracy >= threshold:
            return line["step"]
    return None


def spread(curves: Sequence[Curve]) -> Spread:
    """Mean, least and most of the curves' last values."""
    ends = [values[-1] for _, values in curves]
    return Spread(sum(ends) / len(ends), min(ends), max(ends))


def table(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """One row for each combination: its choices, last values as "mean (least-most)", first step."""
    rows = []
    for outcome in outcomes:
        row = dict(outcome.labels) | {"runs": str(len(outcome.seeds))}
        for measure, found in outcome.last.items():
            row[measure] = f"{found.mean:.3f}"
            if found.least < found.most:
                row[measure] += f" ({found.least:.3f}-{found.most:.3f})"
        steps = ["never" if step is None else f"{step:,}" for step in outcome.reached]
        row["first step"] = ", ".join(steps)
        rows.append(row)
    return rows


def _evaluated(run: PlannedRun, directory: Path) -> list[dict[str, Any]]:
    """The lines of its log that hold an evaluation."""
    if not (directory / "metrics.jsonl").is_file():
        return []
    if read_config(directory / "config.json").cfg != run.recipe.model:
        raise ValueError(
            f"{directory} holds a run of another model than {run.recipe.name}; give each run a "
            "directory of its own"
        )
    return [line for line in read_metrics(directory) if line["held_out"]]


def _curve(lines: Sequence[Mapping[str, Any]], part: str, field: str) -> Curve | None:
    """None where nothing was measured, as the accuracy of a task without answers (NaN)."""
    points = [(line["step"], line[part][field]) for line in lines if line.get(part)]
    points = [(step, value) for step, value in points if value is not None and value == value]
    if not points:
        return None
    steps, values = zip(*points, strict=True)
    return list(steps), list(values)
