"""A run as the lab shows it: trained here, by a terminal, or long over; its files say the same."""

import contextlib
from typing import Any, NamedTuple

import streamlit as st
import torch

from pages._ui import state
from pages._ui.controls import View
from tfs.model.architectures import DECODER_ONLY
from tfs.tasks import Task
from tfs.train.checkpoint import CheckpointError
from tfs.train.guesses import is_text, probe
from tfs.train.log import MetricsLog
from tfs.train.recipe import Recipe, read_recipe
from tfs.train.references import reference_losses
from tfs.train.run_library import GOING_ON, Entry
from tfs.train.worker import Job


class Watched(NamedTuple):
    """job is None where this server does not train the run (any more)."""

    entry: Entry
    job: Job | None
    recipe: Recipe
    task: Task

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def is_going_on(self) -> bool:
        return self.entry.state in GOING_ON

    def lines(self) -> list[dict[str, Any]]:
        """The log so far, a dictionary for each update."""
        return _log(self.name).read()

    def references(self) -> dict[str, float]:
        """What the loss can be compared with, in nats, the floor last if it is known."""
        known = _references(self.task, self.name)
        floor = self.task.floor()
        return known | ({} if floor is None else {"floor": floor})

    def opened(self) -> state.Opened | None:
        """The run's newest weights; None before it can be opened."""
        with contextlib.suppress(CheckpointError):
            return state.open_any(self.name)
        return None

    def view(self) -> View | None:
        """The newest weights of a model that goes on with one text, on its probe, a sequence that
        stays the same; None before it can be opened, and for another architecture."""
        opened = self.opened()
        if opened is None or self.recipe.architecture != DECODER_ONLY:
            return None
        tokens = probe(self.task, self.recipe.train.seed)
        labels = self.task.tokenizer.str_tokens(list(tokens))
        return View(self.name, opened.bundle, opened.fingerprint, tokens, labels, given=True)


def watched(name: str) -> Watched | None:
    """The run of that name; None if there is none, or its directory is damaged."""
    library = state.run_library()
    try:
        entry = library.entry(name)
        recipe, task = _recipe_and_task(name)
    except (ValueError, OSError):
        return None
    return Watched(entry, library.job(name), recipe, task)


@st.cache_resource(show_spinner="Preparing the task …", max_entries=64)
def _recipe_and_task(name: str) -> tuple[Recipe, Task]:
    directory = state.directory_of(name)
    recipe = read_recipe(directory)
    return recipe, recipe.make_task(directory, state.open_any(name).bundle.tokenizer)


@st.cache_resource(show_spinner=False, max_entries=256)
def _log(name: str) -> MetricsLog:
    return MetricsLog(state.directory_of(name))


@st.cache_data(show_spinner="Counting what a loss can be compared with …", max_entries=64)
def _references(_task: Task, name: str) -> dict[str, float]:
    with torch.inference_mode():
        return reference_losses(_task)


def answers_can_be_graded(run: Watched) -> bool:
    return not is_text(run.task)
