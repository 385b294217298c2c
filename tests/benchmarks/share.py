"""How much of a run's time goes into looking at it and keeping it, and not into training.

A run also evaluates, keeps snapshots and saves what resuming needs. Each of these is timed in turns
with the recipe's updates, and counts as often as the recipe does it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.timing import take_turns

UPDATES_AT_ONCE = 5


def overhead(recipe: Any, rounds: int) -> dict[str, float]:
    """Percent of a recipe's time, by what it is spent on: evaluations, snapshots, saves."""
    import tfs
    from tfs.tasks.batch import seed_for
    from tfs.train import evaluate
    from tfs.train.loop import update
    from tfs.train.optimizer import make_optimizer, optimizer_tensors
    from tfs.train.run import Run

    task, config = recipe.make_task(), recipe.train
    model = tfs.DecoderOnly(recipe.model)
    optimizer = make_optimizer(model, config)
    held_out = task.sample(config.eval_size, seed_for(config.seed, "held out"), "held_out")
    with tempfile.TemporaryDirectory() as folder:
        run, steps = Run(folder), iter(range(1, 10**9))
        (Path(folder) / "snapshots").mkdir()

        def updates() -> None:
            for _ in range(UPDATES_AT_ONCE):
                update(model, task, config, optimizer, next(steps))

        calls: dict[str, Callable[[], object]] = {
            "updates": updates,
            "evaluations": lambda: evaluate(model, held_out),
            "snapshots": lambda: run.save_snapshot(model, next(steps)),
            "saves": lambda: run.save_last(model, optimizer_tensors(model, optimizer), next(steps)),
        }
        timings = take_turns(calls, rounds)
    return shares(timings.seconds, times(config))


def times(config: Any) -> dict[str, float]:
    """How often a run does each, in calls of those above."""
    from tfs.train import snapshot_steps

    def every(steps: int) -> int:
        return config.steps // steps + (config.steps % steps > 0)  # and at the last step

    return {
        "updates": config.steps / UPDATES_AT_ONCE,
        "evaluations": every(config.eval_every),
        "snapshots": len(snapshot_steps(config)),
        "saves": every(config.save_every),
    }


def shares(seconds: dict[str, list[float]], counts: dict[str, float]) -> dict[str, float]:
    """Percent of the whole, for all but the updates: the median over the rounds."""
    names = list(seconds)
    rounds = [
        {name: took * counts[name] for name, took in zip(names, taken, strict=True)}
        for taken in zip(*seconds.values(), strict=True)
    ]
    return {
        name: 100 * median(spent[name] / sum(spent.values()) for spent in rounds)
        for name in names
        if name != "updates"
    }
