"""A recipe: what is trained, on what and how, all of it data, so that a file can hold it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfs.model import Kind, TransformerConfig
from tfs.model.architectures import (
    DECODER_ONLY,
    ENCODER_DECODER,
    ENCODER_ONLY,
    PAIR_CLASSIFIER,
    TOKEN_CLASSIFIER,
)
from tfs.tasks import (
    LABELLED_TASKS,
    PAIR_TASKS,
    Task,
    make_labelled_task,
    make_pair_task,
    make_task,
)
from tfs.tokenizers import Tokenizer
from tfs.train.config import TrainConfig
from tfs.train.fields import check_types
from tfs.train.files import read_json, write_json

RECIPE_FILE = "recipe.json"
ARCHITECTURES = dict.fromkeys(PAIR_TASKS, ENCODER_DECODER) | {
    "masked-words": ENCODER_ONLY,
    "tags": TOKEN_CLASSIFIER,
    "question-pairs": PAIR_CLASSIFIER,
}
UNSET = {"n_heads": -1, "d_mlp": None, "attn_scale": -1.0, "initializer_range": -1.0}
UNSET |= {"rotary_dim": None}


@dataclass(frozen=True)
class Recipe:
    """A model that can be trained.

    about         one sentence for a model card
    task          a name of tfs.tasks: TASKS, PAIR_TASKS or LABELLED_TASKS
    task_options  what its task is made with, where that is not the default
    """

    name: str
    about: str
    task: str
    model: TransformerConfig
    train: TrainConfig
    task_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """Of the model (see tfs.model.architectures): what its task is for."""
        return ARCHITECTURES.get(self.task, DECODER_ONLY)

    def kind(self, task: Task) -> Kind:
        """Of the model; a classifier has the labels of its task."""
        labels = task.labels if self.architecture.endswith("classifier") else ()
        return Kind(self.model, self.architecture, tuple(labels))

    def make_task(self, directory: Path | None = None, tokenizer: Tokenizer | None = None) -> Task:
        """directory: where a corpus that is a relative path lies. tokenizer: of a model that goes
        on learning, to read a text with instead of one of its own. Raises ValueError as the task.
        """
        return any_task(self.task, self.task_options, directory, tokenizer)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": self.about,
            "task": {"name": self.task, **self.task_options},
            "model": self.model.to_dict(),
            "train": self.train.to_dict(),
        }

    @classmethod
    def from_dict(cls, fields: Any, base: "Recipe | None" = None) -> "Recipe":
        """The inverse of to_dict.

        base: a recipe that gives what is left out. A task of another name keeps none of its
        options. The vocabulary and the context follow the task where `fields` leave them out, and
        n_heads, d_mlp, attn_scale, initializer_range and rotary_dim follow the other sizes where
        they did. Raises ValueError, naming what is unknown, missing or does not fit.
        """
        fields = _object("a recipe", fields)
        parts = {key: _object(key, fields.get(key, {})) for key in ("task", "model", "train")}
        if unknown := sorted(set(fields) - {"name", "about", *parts}):
            raise ValueError(f"a recipe has no part called {unknown[0]!r}")
        for key in ("name", "about"):
            if not isinstance(fields.get(key, ""), str):
                raise ValueError(f"a recipe's {key} must be text, not {fields[key]!r:.60}")
        task = dict(parts["task"])
        name = task.pop("name", base.task if base else None)
        if name is None:
            raise ValueError('a recipe needs a task, as in "task": {"name": "mirror"}')
        if base and base.task == name:
            task = {**base.task_options, **task}
        check_types(TransformerConfig, parts["model"])
        check_types(TrainConfig, parts["train"])
        model = {**(_as_given(base.model) if base else {}), **parts["model"]}
        if (parts["task"] or not base) and not {"d_vocab", "n_ctx"} <= set(parts["model"]):
            made = any_task(name, task)
            model |= {"d_vocab": made.d_vocab, "n_ctx": made.n_ctx, **parts["model"]}
        return cls(
            name=fields.get("name", base.name if base else name),
            about=fields.get("about", base.about if base else ""),
            task=name,
            task_options=task,
            model=TransformerConfig.from_dict(model),
            train=TrainConfig.from_dict(
                {**(base.train.to_dict() if base else {}), **parts["train"]}
            ),
        )


def any_task(
    name: str,
    options: Mapping[str, Any],
    directory: Path | None = None,
    tokenizer: Tokenizer | None = None,
) -> Task:
    """A task for any architecture; arguments and errors are those of tfs.tasks.make_task."""
    if name in PAIR_TASKS:
        return make_pair_task(name, options, directory, tokenizer)
    if name in LABELLED_TASKS:
        return make_labelled_task(name, options)
    return make_task(name, options, directory, tokenizer)


def _as_given(cfg: TransformerConfig) -> dict[str, Any]:
    """The fields of `cfg`; those that follow from others are unset, to follow them again."""
    following = {
        name: unset
        for name, unset in UNSET.items()
        if dataclasses.replace(cfg, **{name: unset}) == cfg
    }
    return cfg.to_dict() | following


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a JSON object, not {value!r:.60}")
    return value


def fit(cfg: TransformerConfig, task: Task) -> TransformerConfig:
    """`cfg` with the vocabulary and the context of a task."""
    return dataclasses.replace(cfg, d_vocab=task.d_vocab, n_ctx=task.n_ctx)


def save_recipe(recipe: Recipe, directory: Path) -> None:
    write_json(directory / RECIPE_FILE, recipe.to_dict())


def read_recipe(directory: Path) -> Recipe:
    """What the run in `directory` trains. Raises ValueError where it holds no readable recipe."""
    path = directory / RECIPE_FILE
    try:
        return Recipe.from_dict(read_json(path))
    except FileNotFoundError:
        raise ValueError(f"{directory} holds no {RECIPE_FILE}, so it is not a run") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged or not a recipe: {error}") from None
