"""Doing an experiment without the app: one run after another, on one thread.

python -m tfs.train.experiment does-it-grok --out runs/grok
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from tfs.train.branch import begin, starting_weights
from tfs.train.checkpoint import Bundle, save
from tfs.train.diverged import Diverged
from tfs.train.experiment import Experiment
from tfs.train.experiments import EXPERIMENTS
from tfs.train.loop import train
from tfs.train.outcomes import Outcome, results, table
from tfs.train.recipe import RECIPE_FILE, Recipe, read_recipe, save_recipe


def conduct(experiment: Experiment, out: Path, say: Callable[[str], None] = print) -> list[Outcome]:
    """Train every run in a directory of its own below `out`; what is there already is not redone.

    On one thread, the same experiment gives the same numbers, bit for bit, wherever it is stopped
    and begun again. Raises ValueError as Experiment.runs and train do.
    """
    runs = experiment.runs()
    for run in runs:
        origin = None
        if run.before is not None:
            origin = out / f"first-stage-seed-{run.seed}"
            conduct_run(run.before, origin)
        say(f"{run.recipe.name}: {run.recipe.train.steps:,} steps")
        parent = origin and starting_weights(origin, run.begin_at)
        try:
            conduct_run(run.recipe, out / run.folder, parent)
        except Diverged as error:  # an answer, too, and no reason to leave out the other runs
            say(f"{run.recipe.name}: {error}")
    return results(runs, [out / run.folder for run in runs], experiment.threshold)


def conduct_run(recipe: Recipe, directory: Path, parent: Bundle | None = None) -> None:
    """One run to its end, from where it stands; afterwards the directory opens as a checkpoint.

    parent: a model whose weights it begins with, and whose tokenizer it reads a text with. Raises
    ValueError where the directory holds the run of another recipe.
    """
    if (directory / RECIPE_FILE).is_file() and read_recipe(directory) != recipe:
        raise ValueError(
            f"{directory} holds a run of another recipe, perhaps of an earlier version of "
            f"{recipe.name}; give another directory with --out, or delete this one"
        )
    if (directory / "model.safetensors").is_file():
        return
    task = recipe.make_task(None, parent and parent.tokenizer)
    model = begin(recipe.kind(task), task, parent)
    resume = (directory / "last" / "state.json").is_file()
    directory.mkdir(parents=True, exist_ok=True)
    save_recipe(recipe, directory)
    for _ in train(model, task, recipe.train, directory, resume):
        pass
    card = f"# {recipe.name}\n\n{recipe.about} What it was graded with is in metrics.jsonl.\n"
    save(Bundle(model, task.tokenizer, card), directory)


def main(arguments: list[str] | None = None) -> int:
    """The command. An experiment is one of ours by name, or a JSON file."""
    parser = argparse.ArgumentParser(prog="python -m tfs.train.experiment", description=__doc__)
    names = ", ".join(EXPERIMENTS)
    parser.add_argument("experiment", help=f"a JSON file, or one of: {names}")
    parser.add_argument("--out", type=Path, help="directory for its runs (default: runs/NAME)")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        experiment = named_or_read(args.experiment)
        print(experiment.question, experiment.look_for, sep="\n", end="\n\n")
        outcomes = conduct(experiment, args.out or Path("runs") / experiment.name)
    except (ValueError, OSError) as error:
        print(f"tfs: {error}", file=sys.stderr)
        return 2
    for row in table(outcomes):
        print("\n" + "\n".join(f"  {name:18} {value}" for name, value in row.items()))
    return 0


def named_or_read(name: str) -> Experiment:
    """Raises ValueError where there is neither such an experiment nor a file that holds one."""
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    path = Path(name)
    if not path.is_file():
        raise ValueError(
            f"there is no experiment {name!r}; give a JSON file, or one of: "
            f"{', '.join(EXPERIMENTS)}"
        )
    try:
        return Experiment.from_dict(json.loads(path.read_text()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
