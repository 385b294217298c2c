"""A flag for every field of a model's and a training's config, and back: the flags of a recipe."""

import argparse
import json
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tfs.cli.parsing import LARGEST_COUNT, SEED, finite_number, whole_number
from tfs.model import TransformerConfig
from tfs.tasks import task_options
from tfs.tasks.named import CORPORA
from tfs.train.config import TrainConfig
from tfs.train.fields import Field, fields_of
from tfs.train.recipe import Recipe

CONFIGS = {"model": TransformerConfig, "train": TrainConfig}
ABOUT = {
    "model": "sizes and choices of the model; d_vocab and n_ctx follow the task where not given",
    "train": "how it is trained",
}
ZERO_IS_FINE = "warmup_steps"


def add_config_flags(command: argparse.ArgumentParser) -> None:
    """--n-layers, --lr and all others. What is not given is not in the parsed namespace."""
    for part, config in CONFIGS.items():
        group = command.add_argument_group(part, ABOUT[part])
        for field in fields_of(config):
            if field.name != "seed":
                _add_flag(group, field)
    about = "of weights, data and dropout, below 2**64"
    command.add_argument("--seed", type=SEED, default=argparse.SUPPRESS, help=about)


def _add_flag(group: argparse._ArgumentGroup, field: Field) -> None:
    about = field.meaning.replace("%", "%%")
    options: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS, "help": about}
    if field.kind is bool:
        options["action"] = argparse.BooleanOptionalAction
    elif field.kind is list:
        options |= {"nargs": "+", "type": str, "metavar": "NAME"}
    elif field.kind is tuple:
        options |= {"nargs": 2, "type": finite_number, "metavar": "NUMBER"}
    else:
        metavar = {int: "COUNT", float: "NUMBER", str: "NAME"}[field.kind]
        options |= {"type": reader(field), "metavar": metavar}
        options["metavar"] += "|none" if field.may_be_none else ""
    group.add_argument("--" + field.name.replace("_", "-"), **options)


def reader(field: Field) -> Callable[[str], Any]:
    """Text -> the field's value."""
    read: Callable[[str], Any] = {
        int: partial(whole_number, low=int(field.name != ZERO_IS_FINE), high=LARGEST_COUNT),
        float: finite_number,
        str: str,
    }[field.kind]
    if not field.may_be_none:
        return read
    return lambda text: None if text.lower() == "none" else read(text)


def config_flags(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The flags that were given, as parts of a recipe."""
    given = vars(args)
    return {
        part: {field.name: given[field.name] for field in fields_of(config) if field.name in given}
        for part, config in CONFIGS.items()
    }


def read_task_options(name: str, given: list[str]) -> dict[str, Any]:
    """["digits=2", "reversed=false"] -> values of the types that the task's options have.

    Raises ValueError for what is not NAME=VALUE; a value that does not fit is left as text, for
    the task to refuse.
    """
    known, options = task_options(name), {}
    for text in given:
        option, equals, value = text.partition("=")
        if not equals or not option:
            raise ValueError(f"--task-option takes NAME=VALUE, as in digits=2, not {text!r:.60}")
        options[option] = value
        if not isinstance(known.get(option, ""), str):
            try:
                options[option] = json.loads(value)
            except ValueError:
                pass
    return options


def changes(recipe: Recipe, base: Recipe) -> dict[str, dict[str, Any]]:
    """What `recipe` has otherwise than `base`: task, task-option, model and train, by name."""
    same_task = recipe.task == base.task
    before = base.task_options if same_task else {}
    changed: dict[str, dict[str, Any]] = {
        "task": {} if same_task else {"task": recipe.task},
        "task-option": {
            name: value
            for name, value in recipe.task_options.items()
            if name not in before or value != before[name]
        },
    }
    for part in CONFIGS:
        new, old = getattr(recipe, part).to_dict(), getattr(base, part).to_dict()
        changed[part] = {name: value for name, value in new.items() if value != old[name]}
    return changed


def command_for(recipe: Recipe, base: Recipe) -> str:
    """The command that trains `recipe`, given that it differs from the ready-made `base`."""
    changed = changes(recipe, base)
    words = ["python", "-m", "tfs", "train", base.name]
    if changed["task"]:
        words += ["--task", recipe.task]
    for name, value in changed["task-option"].items():
        if name == "corpus" and value not in CORPORA:
            value = Path(value).name  # where it lies is nobody else's business
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--task-option", f"{name}={text}"]
    for name, value in (changed["model"] | changed["train"]).items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            values = value if isinstance(value, tuple) else [value]
            words += [f"--{flag}", *("none" if v is None else str(v) for v in values)]
    return shlex.join(words)
