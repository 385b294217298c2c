"""Where a new run begins: its text, and the weights of another model, if it goes on from one."""

import dataclasses
from pathlib import Path

from tfs.hooks import HookedModel
from tfs.model import Kind, kind_of
from tfs.tasks import Task
from tfs.tasks.corpus import read_text
from tfs.tasks.named import CORPORA, FILE_OPTIONS, file_of
from tfs.train.checkpoint import Bundle, load, model_from, read_weights
from tfs.train.recipe import Recipe
from tfs.train.run import last_step, logged_step

TEXT_FILE = "text.txt"
NOT_SIZES = ("seed", "initializer_range", "use_attn_result")


def with_corpus(
    recipe: Recipe, text: str | None, directory: Path, origin: Path | None = None
) -> Recipe:
    """`recipe` on a text that stands in `directory`: `text`, or the one of the run it comes from.

    The text of a recipe of pairs is a file of pairs. Raises ValueError where it wants another file
    of this machine, which is not its business.
    """
    file = file_of(recipe.task, recipe.task_options)
    if text is None and file is not None:
        if file != TEXT_FILE or origin is None or not (origin / TEXT_FILE).is_file():
            raise ValueError(
                f"this recipe reads the file {file[:80]!r}, which is not here; give its text"
                + (f", or choose one of these: {', '.join(CORPORA)}" * (recipe.task == "text"))
            )
        text = read_text(origin / TEXT_FILE)
    if text is None:
        return recipe
    (directory / TEXT_FILE).write_text(text, encoding="utf-8", newline="")
    reads_files = recipe.task in FILE_OPTIONS
    task, options = (recipe.task, dict(recipe.task_options)) if reads_files else ("text", {})
    return dataclasses.replace(
        recipe, task=task, task_options=options | {FILE_OPTIONS[task]: TEXT_FILE}
    )


def starting_weights(directory: Path, step: int) -> Bundle:
    """The checkpoint in `directory` as it was after `step` updates.

    A snapshot, or what a stopped run holds last. Raises ValueError for any other step.
    """
    bundle = load(directory)
    if step not in bundle.snapshots and step == last_step(directory):
        kind = kind_of(bundle.model)
        weights = read_weights(directory / "last" / "model.safetensors", kind)
        return dataclasses.replace(bundle, model=model_from(kind, weights))
    if not bundle.snapshots and step == logged_step(directory):
        return bundle
    return dataclasses.replace(bundle, model=bundle.at_step(step))


def begin(kind: Kind, task: Task, bundle: Bundle | None) -> HookedModel:
    """A model to be trained, random or with a bundle's weights.

    Raises ValueError where it cannot read the task, or is of another shape than the bundle's.
    """
    cfg = kind.cfg
    for field in ("d_vocab", "n_ctx"):
        needed, has = getattr(task, field), getattr(cfg, field)
        if needed > has:
            raise ValueError(
                f"the task has {field} = {needed}, more than the model's {has}; make the model at "
                "least that large"
            )
    model = kind.make()
    if bundle is not None:
        if kind_of(bundle.model)[1:] != kind[1:]:
            raise ValueError(
                f"the model to go on from is of the kind {kind_of(bundle.model).architecture}, and "
                f"the new one {kind.architecture}; choose the same, or begin with random weights"
            )
        wanted, there = cfg.to_dict(), bundle.model.cfg.to_dict()
        for field in wanted.keys() - set(NOT_SIZES):
            if wanted[field] != there[field]:
                raise ValueError(
                    f"the model to go on from has {field} = {there[field]}, and the new one "
                    f"{wanted[field]}; choose the same, or begin with random weights"
                )
        model.load_state_dict(bundle.model.state_dict())
    return model
