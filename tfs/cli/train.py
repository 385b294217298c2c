"""python -m tfs train: every option of a recipe, on one process or several."""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from tfs.arithmetic import readable_count
from tfs.cli.chosen import COSTS, chosen, ready_made
from tfs.cli.flags import add_config_flags, command_for
from tfs.cli.parsing import THREADS
from tfs.tasks import Task
from tfs.tasks.named import ALL_TASKS
from tfs.train import train
from tfs.train.card import model_card
from tfs.train.checkpoint import Bundle, read_config, save
from tfs.train.estimate import Costs, costs
from tfs.train.files import write_json
from tfs.train.loop import check_run
from tfs.train.pair_recipes import ALL_RECIPES
from tfs.train.processes import DEVICES, find_device, process_group, process_number
from tfs.train.recipe import RECIPE_FILE, Recipe, read_recipe, save_recipe
from tfs.train.worker import SECONDS_BETWEEN_SAVES, STATUS_FILE

EPILOG = """\
What a flag does not say, the --config file does; what neither says, the recipe does. Several
processes train together, each on its share of every batch, under PyTorch's own launcher:
  torchrun --nproc-per-node=2 -m tfs train mirror
"""


def add_train(command: argparse.ArgumentParser) -> None:
    """The arguments of `tfs train`, and `run_train` to follow them."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = EPILOG
    add = command.add_argument
    add(
        "recipe",
        nargs="?",
        metavar="RECIPE",
        choices=sorted(ALL_RECIPES),
        help=", ".join(ALL_RECIPES),
    )
    add("--config", type=Path, metavar="FILE", help="a recipe, or parts of one, as JSON")
    add("--task", metavar="NAME", help=f"instead of the recipe's: {', '.join(sorted(ALL_TASKS))}")
    about = "of the task, such as digits=2 or corpus=prose tokenizer=characters"
    add("--task-option", nargs="+", action="extend", metavar="NAME=VALUE", help=about)
    add("--text", type=Path, metavar="FILE", help="a UTF-8 file to train on")
    add("--out", type=Path, help="directory to write (default: runs/<recipe>)")
    about = "go on from the last save in --out; without RECIPE, by the recipe that is saved there"
    add("--resume", action="store_true", help=about)
    about = "print as JSON what would be trained and its costs, timed by a few updates; train not"
    add("--print-config", action="store_true", help=about)
    add("--threads", type=THREADS, default=1, help="CPU threads (default: 1)")
    add("--device", choices=DEVICES, default="cpu", help="where the model is (default: cpu)")
    add_config_flags(command)
    command.set_defaults(run=run_train)


def run_train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    recipe, task = chosen(args)
    directory = args.out or Path("runs") / recipe.name
    device = find_device(args.device)
    with process_group(device):
        is_first = process_number() == 0
        check_run(recipe.model, task, recipe.train)
        if is_first and not args.print_config:
            check_directory(directory, recipe, args.resume)
        expected = costs(recipe, task, device)
        if args.print_config:
            if is_first:
                print(json.dumps(recipe.to_dict() | {COSTS: expected._asdict()}, indent=2))
            return
        if is_first:
            print(f"tfs: {sentence(recipe, expected)}", file=sys.stderr)
            save_recipe(recipe, directory)
        model = recipe.kind(task).make().to(device)
        step, seconds = follow(recipe, model, task, directory, args.resume)
    if is_first:
        model.to("cpu")
        parts = (model, task, recipe.train, step)
        command = command_of(recipe)
        card = model_card(recipe.name, recipe.about, *parts, command, seconds=seconds)
        save(Bundle(model, task.tokenizer, card), directory)
        write_status(directory, "finished", step, seconds)
        print(f"saved to {directory}; open it with: tfs inspect {directory}")
        print(f"in the app, if that is in its runs directory: /live?run={directory.name}")


def follow(
    recipe: Recipe, model: nn.Module, task: Task, directory: Path, resume: bool
) -> tuple[int, float]:
    """Train with a progress bar; returns the last step, and the seconds that this took.

    The directory opens in the app meanwhile, with weights that are some seconds old.
    """
    step, config, began = recipe.train.steps, recipe.train, time.monotonic()
    is_first = process_number() == 0
    card = f"# {recipe.name}\n\n{recipe.about} Still training.\n"
    bundle, saved_at = Bundle(model, task.tokenizer, card), began - SECONDS_BETWEEN_SAVES
    with tqdm(total=config.steps, unit="step", desc=recipe.name, disable=not is_first) as bar:
        for report in train(model, task, config, directory, resume):
            step = report.step
            bar.update(step - bar.n)
            if report.held_out:
                bar.set_postfix(loss=f"{report.loss:.3f}", held_out=f"{report.held_out.loss:.3f}")
            if is_first and time.monotonic() - saved_at >= SECONDS_BETWEEN_SAVES:
                save(bundle, directory)
                write_status(directory, "running", step, time.monotonic() - began)
                saved_at = time.monotonic()
    return step, time.monotonic() - began


def write_status(directory: Path, state: str, step: int, seconds: float) -> None:
    """What the app's list of runs says; "running" counts only while the run's lock is held."""
    fields = {"state": state, "step": step, "error": "", "seconds": round(seconds, 3)}
    write_json(directory / STATUS_FILE, fields)


def command_of(recipe: Recipe) -> str:
    """What a card says: the command that trains this again."""
    base = ready_made(recipe)
    return command_for(recipe, base) if base else f"python -m tfs train --config {RECIPE_FILE}"


def sentence(recipe: Recipe, expected: Costs) -> str:
    return (
        f"{expected.parameters:,} parameters, {recipe.train.steps:,} updates of "
        f"{expected.tokens_per_update:,} tokens, {readable_count(expected.flops)} FLOPs; about "
        f"{duration(expected.seconds)} here, evaluations and saves not counted"
    )


def duration(seconds: float) -> str:
    """Two units are enough: 1 h 5 min, 3 min 20 s, 12 s."""
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def check_directory(directory: Path, recipe: Recipe, resume: bool) -> None:
    """Raise ValueError, before any work is done, for a directory that cannot take this run."""
    if resume and not os.path.isfile(directory / "last" / "state.json"):
        raise ValueError(
            f"--resume: {directory} holds no saved run; leave out --resume to start anew, or name "
            "the directory of a run with --out"
        )
    there = next(filter(os.path.exists, (directory, *directory.absolute().parents)))
    try:
        tempfile.TemporaryDirectory(dir=there).cleanup()
    except OSError as error:
        raise ValueError(
            f"--out {directory}: nothing can be written in {there} ({error.strerror}); name "
            "another directory"
        ) from None
    if not resume and (directory / "metrics.jsonl").exists():
        raise ValueError(
            f"--out {directory} already holds a run; add --resume to go on with it, or name "
            "another directory"
        )
    if resume:
        check_same_run(directory, recipe)


def check_same_run(directory: Path, recipe: Recipe) -> None:
    """Raise ValueError where another model, or another task, is in training there."""
    saved, wanted = read_config(directory / "config.json").cfg.to_dict(), recipe.model.to_dict()
    other = [f"{name} = {value}" for name, value in saved.items() if value != wanted[name]]
    if not other and (directory / RECIPE_FILE).exists():
        before = read_recipe(directory)
        if (before.task, before.task_options) != (recipe.task, recipe.task_options):
            other = [f"the task {before.task} {before.task_options or ''}".strip()]
    if other:
        raise ValueError(
            f"--resume: the run in {directory} has {', '.join(other)}; go on with the recipe and "
            "the --seed that it was started with"
        )
