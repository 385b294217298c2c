"""An experiment is data: a question, a base recipe, and axes along which it is changed.

{
  "name": "positions",
  "question": "Does the mirror need positions?",
  "look_for": "Which choice reaches the floor, and when.",
  "base": "mirror",
  "axes": {"positions": {"learned": {}, "none": {"model": {"positional_embedding_type": "none"}}}},
  "seeds": [0, 1]
}

Every choice is a partial recipe; an experiment's runs are the product of all axes and seeds. A
choice may also say "begin_at": a step of the recipe `before`, a first stage that all such runs go
on from ("last" for its end, 0 for its random weights and its tokenizer).
"""

import dataclasses
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tfs.train.entry import LONGEST_TITLE
from tfs.train.pair_recipes import ALL_RECIPES
from tfs.train.recipe import Recipe
from tfs.train.schedule import snapshot_steps

MOST_RUNS = 60
PARTS = ("task", "model", "train")
SEEDS = ("model.seed", "train.seed")
Choices = Mapping[str, Mapping[str, Any]]


class PlannedRun(NamedTuple):
    """One run of an experiment: where it stands on each axis, and what is trained."""

    labels: dict[str, str]  # axis -> choice
    seed: int
    recipe: Recipe
    folder: str  # a name for its directory, different for each run
    before: Recipe | None = None  # trained first, once for a seed: same for all runs that have it
    begin_at: int = 0  # the step of `before` whose weights it begins with


@dataclass(frozen=True)
class Experiment:
    """A question that runs can answer; checked when made, as far as that goes without its task.

    name       of its runs and directories
    question   one sentence
    look_for   what a reader should compare, and with what
    base       the recipe that every choice changes
    axes       axis -> choice -> partial recipe, as Recipe.from_dict takes it
    seeds      each makes one more run of every combination: its weights, data and dropout
    before     a first stage, from which choices with "begin_at" go on
    threshold  the accuracy whose first step is of interest
    found      what came out here, where a command or a test gives the same again

    Raises ValueError for an empty axis, two axes that set the same field, a seed set in an axis.
    """

    name: str
    question: str
    look_for: str
    base: Recipe
    axes: Mapping[str, Choices]
    seeds: tuple[int, ...] = (0,)
    before: Recipe | None = None
    threshold: float = 0.99
    found: str = ""

    def __post_init__(self) -> None:
        if not self.axes:
            raise ValueError(f"the experiment {self.name} has no axis; give it one to change")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(
                f"seeds must be one or more different whole numbers, not {list(self.seeds)}"
            )
        fields: dict[str, str] = {}
        for axis, choices in self.axes.items():
            for field in sorted(_fields_of(axis, choices)):
                if field in SEEDS:
                    raise ValueError(
                        f'the axis {axis!r} sets {field}; list seeds under "seeds" instead'
                    )
                if field in fields:
                    raise ValueError(
                        f"the axes {fields[field]!r} and {axis!r} both set {field}; give it to one "
                        "of them"
                    )
                fields[field] = axis
            if "begin_at" in fields and self.before is None:
                raise ValueError(f'the axis {axis!r} says "begin_at", but nothing comes before')
        if (count := len(self.seeds) * len(self.combinations())) > MOST_RUNS:
            raise ValueError(
                f"{self.name} would be {count} runs, more than {MOST_RUNS}; take away seeds or "
                "choices"
            )

    def combinations(self) -> list[dict[str, str]]:
        """One choice of every axis, in all ways; the last axis changes fastest."""
        return [
            dict(zip(self.axes, c, strict=True)) for c in itertools.product(*self.axes.values())
        ]

    def runs(self) -> list[PlannedRun]:
        """Every combination with every seed, the seeds of one combination side by side.

        Raises ValueError, naming the choices, where a recipe cannot be or two are the same.
        """
        planned: list[PlannedRun] = []
        made: list[tuple[dict[str, str], dict[str, Any], int]] = []
        for labels in self.combinations():
            recipe, begin_at = self._recipe_of(labels)
            what = recipe.to_dict()
            for other, *it in made:
                if it == [what, begin_at]:
                    raise ValueError(
                        f"{self.name}: {_named(labels)} and {_named(other)} are the same run; take "
                        "one away"
                    )
            made.append((labels, what, begin_at))
            for seed in self.seeds:
                planned.append(self._planned(labels, seed, recipe, begin_at, len(planned)))
        return planned

    def _recipe_of(self, labels: Mapping[str, str]) -> tuple[Recipe, int | None]:
        """The base with the fields of all these choices, and the step that it begins at."""
        parts: dict[str, Any] = {part: {} for part in PARTS}
        begin_at = None
        for axis, choice in labels.items():
            fields = self.axes[axis][choice]
            begin_at = fields.get("begin_at", begin_at)
            for part in PARTS:
                parts[part] |= fields.get(part, {})
        try:
            recipe = Recipe.from_dict({k: v for k, v in parts.items() if v}, self.base)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.name}, {_named(labels)}: {error}") from None
        if begin_at is not None and self.before is not None:
            begin_at = self.before.train.steps if begin_at == "last" else begin_at
            if begin_at not in (kept := snapshot_steps(self.before.train)):
                raise ValueError(
                    f"{self.name}, {_named(labels)}: step {begin_at!r} of the first stage is not "
                    f"kept; those that are: {', '.join(map(str, kept))}"
                )
        return recipe, begin_at

    def _planned(
        self, labels: dict[str, str], seed: int, recipe: Recipe, begin_at: int | None, number: int
    ) -> PlannedRun:
        title = f"{self.name}: {_named(labels)}, seed {seed}"
        if len(title) > LONGEST_TITLE:
            raise ValueError(
                f"the name of a run, {title!r}, has more than {LONGEST_TITLE} characters; choose "
                "shorter names for the experiment and its choices"
            )
        before = self.before if begin_at is not None else None
        return PlannedRun(
            labels=labels,
            seed=seed,
            recipe=with_seed(recipe, seed, title),
            folder=f"{number:02d}-{re.sub('[^a-z0-9]+', '-', _named(labels).lower())}-seed-{seed}",
            before=before and with_seed(before, seed, f"{self.name}: first stage, seed {seed}"),
            begin_at=begin_at or 0,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `from_dict` reads it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        changed = {"base": self.base.to_dict(), "seeds": list(self.seeds)}
        return fields | changed | {"before": self.before and self.before.to_dict()}

    @classmethod
    def from_dict(cls, fields: Any) -> "Experiment":
        """The inverse of to_dict. "base" and "before" may also be names of ready-made recipes.

        Every run's recipe is made once, so that a mistake is found now. Raises ValueError, naming
        what is unknown, missing or does not fit.
        """
        fields = _object("an experiment", fields)
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(fields) - known):
            raise ValueError(f"an experiment has no field {unknown[0]!r}")
        if missing := [name for name in ("name", "question", "base", "axes") if name not in fields]:
            raise ValueError(f"an experiment needs {missing[0]!r}")
        for name in ("name", "question", "look_for", "found"):
            if not isinstance(fields.get(name, ""), str):
                raise ValueError(f"{name} must be text, not {fields[name]!r:.60}")
        axes = {
            axis: {
                choice: _object(f"the choice {choice!r} of {axis!r}", changes)
                for choice, changes in _object(f"the axis {axis!r}", choices).items()
            }
            for axis, choices in _object("axes", fields["axes"]).items()
        }
        seeds = fields.get("seeds", [0])
        if not isinstance(seeds, list) or not all(type(s) is int and s >= 0 for s in seeds):
            raise ValueError(f"seeds must be a list of whole numbers from 0, not {seeds!r:.60}")
        threshold = fields.get("threshold", cls.threshold)
        if type(threshold) not in (int, float) or not 0 < threshold <= 1:
            raise ValueError(f"threshold must lie above 0 and be at most 1, not {threshold!r:.60}")
        experiment = cls(
            name=fields["name"],
            question=fields["question"],
            look_for=fields.get("look_for", ""),
            base=_recipe("base", fields["base"]),
            axes=axes,
            seeds=tuple(seeds),
            before=fields.get("before") and _recipe("before", fields["before"]),
            threshold=float(threshold),
            found=fields.get("found", ""),
        )
        experiment.runs()
        return experiment


def with_seed(recipe: Recipe, seed: int, name: str) -> Recipe:
    """`recipe` under another name, its weights, data and dropout drawn by `seed`."""
    model = dataclasses.replace(recipe.model, seed=seed)
    train = dataclasses.replace(recipe.train, seed=seed)
    return dataclasses.replace(recipe, name=name, model=model, train=train)


def _fields_of(axis: str, choices: Choices) -> set[str]:
    """What the choices of an axis set, as "model.n_layers"."""
    if not choices:
        raise ValueError(f"the axis {axis!r} has no choice; give it one or more")
    fields = set[str]()
    for choice, changes in choices.items():
        for part, value in changes.items():
            if part == "begin_at":
                fields.add(part)
            elif part in PARTS:
                inside = _object(f"{part} of the choice {choice!r} of {axis!r}", value)
                fields |= {f"{part}.{field}" for field in inside}
            else:
                allowed = ", ".join((*PARTS, "begin_at"))
                raise ValueError(
                    f"the choice {choice!r} of {axis!r} has no part {part!r}; it may set {allowed}"
                )
    return fields


def _named(labels: Mapping[str, str]) -> str:
    return ", ".join(labels.values())


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a JSON object, not {value!r:.60}")
    return value


def _recipe(part: str, value: Any) -> Recipe:
    if isinstance(value, str):
        if value not in ALL_RECIPES:
            raise ValueError(
                f"{part} must be a recipe or the name of one, and there is none called "
                f"{value[:60]!r}; the names are {', '.join(sorted(ALL_RECIPES))}"
            )
        return ALL_RECIPES[value]
    try:
        return Recipe.from_dict(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{part}: {error}") from None


if __name__ == "__main__":
    from tfs.train.conduct import main

    raise SystemExit(main())
