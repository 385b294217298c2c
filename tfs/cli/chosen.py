"""What a command line asks for: a ready-made recipe, a file's changes to it, then the flags'."""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfs.arithmetic import readable_bytes, weight_bytes
from tfs.cli.flags import changes, config_flags, read_task_options
from tfs.tasks import Task, task_options
from tfs.tasks.corpus import read_text
from tfs.tasks.named import CORPORA
from tfs.tokenizers.bpe_training import N_BYTES
from tfs.train.checkpoint import LARGEST_JSON, LARGEST_WEIGHTS
from tfs.train.pair_recipes import ALL_RECIPES, OWN_PAIRS
from tfs.train.recipe import Recipe, fit, read_recipe

COSTS = "costs"  # what --print-config adds to a recipe, and --config leaves aside


def chosen(args: argparse.Namespace) -> tuple[Recipe, Task]:
    """The recipe, its sizes fitted to its task, and that task. Raises ValueError for a mistake."""
    file = read_config_file(args.config) if args.config else {}
    base = _base(args, file)
    recipe = Recipe.from_dict(file, base) if file else base
    flags = config_flags(args)
    if task := _task_flags(args, recipe):
        flags["task"] = task
    recipe = Recipe.from_dict(flags, recipe)
    made = recipe.make_task(args.out)
    fields = {**fit(recipe.model, made).to_dict(), **file.get("model", {}), **flags["model"]}
    sizes = {name: fields[name] for name in ("d_vocab", "n_ctx")}
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, **sizes))
    if (size := weight_bytes(recipe.model)) > LARGEST_WEIGHTS:
        raise ValueError(
            f"this model's weights take {readable_bytes(size)}, more than the "
            f"{readable_bytes(LARGEST_WEIGHTS)} that a checkpoint may have; make it smaller"
        )
    return recipe if "about" in file else _described(recipe), made


def ready_made(recipe: Recipe) -> Recipe | None:
    """The recipe of ours that this one is, or was before it was changed."""
    return ALL_RECIPES.get(recipe.name)


def read_config_file(path: Path) -> dict[str, Any]:
    """A recipe, or parts of one, from JSON; a corpus that is a file is looked for beside it."""
    if not path.is_file():
        raise ValueError(f"--config: there is no file {path}")
    if path.stat().st_size > LARGEST_JSON:
        raise ValueError(f"--config: {path} is larger than {readable_bytes(LARGEST_JSON)}")
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"--config: {path} is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError(f"--config: {path} must hold a JSON object, not {fields!r:.60}")
    for part in ("task", "model", "train"):
        if not isinstance(fields.get(part, {}), dict):
            raise ValueError(f"--config: {part} in {path} must be a JSON object")
    fields.pop(COSTS, None)
    if isinstance((task := fields.get("task", {})).get("corpus"), str):
        fields["task"] = task | {"corpus": _corpus(task["corpus"], path.absolute().parent)}
    return fields


def _base(args: argparse.Namespace, file: Mapping[str, Any]) -> Recipe:
    """What is changed: a recipe by name, the run to resume, or the first recipe of a task."""
    task = args.task or file.get("task", {}).get("name")
    if args.recipe:
        return ALL_RECIPES[args.recipe]
    if args.resume and args.out and not task:
        return read_recipe(args.out)
    if task is None:
        raise ValueError(
            "there is nothing to train: name a recipe, a task with --task, or a file that has a "
            f"task with --config; the recipes are {', '.join(sorted(ALL_RECIPES))}"
        )
    task_options(task)  # refuses an unknown one
    return next(recipe for recipe in (*ALL_RECIPES.values(), OWN_PAIRS) if recipe.task == task)


def _task_flags(args: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """The task that --task, --text and --task-option ask for, on top of a recipe's."""
    name = args.task or recipe.task
    options = {} if args.text is None else _text_options(name, recipe, args.text)
    name = "text" if options else name
    options |= read_task_options(name, args.task_option or [])
    if "corpus" in options:
        options["corpus"] = _corpus(options["corpus"], Path.cwd())
    return {"name": name, **options} if options or args.task else {}


def _text_options(task: str, recipe: Recipe, path: Path) -> dict[str, Any]:
    """--text: a recipe of text reads this one instead; others read it in BPE of their vocabulary.

    Raises ValueError for a file that is no text, or where the vocabulary cannot hold its bytes.
    """
    read_text(path)  # refuses what cannot be read, by the name that was given
    if task == "text":
        return {"corpus": str(path)}
    cfg = recipe.model
    if cfg.d_vocab < N_BYTES:
        able = [name for name, other in ALL_RECIPES.items() if other.task == "text"]
        raise ValueError(
            f"--text needs a vocabulary of at least {N_BYTES} tokens, and {recipe.name} has "
            f"{cfg.d_vocab}; give it to one of these recipes: {', '.join(sorted(able))}"
        )
    bpe = {"tokenizer": "bpe", "n_ctx": cfg.n_ctx, "d_vocab": cfg.d_vocab}
    return {"corpus": str(path), **bpe}


def _corpus(name: str, directory: Path) -> str:
    """A corpus of ours by its name, a file by its whole path: a run may go on from elsewhere."""
    return name if name in CORPORA else str(directory / name)


def _described(recipe: Recipe) -> Recipe:
    """With a true sentence about it, where it is no longer what the ready-made one says."""
    base = ready_made(recipe)
    if base is None:
        return recipe
    changed = changes(recipe, base)
    parts = changed["task"] | changed["task-option"] | changed["model"]
    parts.pop("seed", None)
    parts.pop("corpus", None)
    if not parts:
        return recipe
    listed = ", ".join(f"{name} = {value}" for name, value in parts.items())
    return dataclasses.replace(recipe, about=f"The recipe {base.name} with {listed}.")
