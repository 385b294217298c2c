"""The lab's runs: started from the form, found again by the URL, steered, branched."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.controls import remember_run, show_model
from pages._ui.lab_form import Asked
from pages._ui.layout import counted, literal, metrics
from pages._ui.opened_by import architecture_of, page_for
from pages._ui.owner import owner
from pages._ui.predict import predict
from pages._ui.watched import Watched, watched
from tfs.arithmetic import readable_count
from tfs.model.architectures import DECODER_ONLY
from tfs.train.estimate import Costs, costs
from tfs.train.recipe import Recipe
from tfs.train.references import classes_of
from tfs.train.run_library import RESUMABLE
from tfs.train.worker import Job

NEAR_THE_FLOOR = 0.02  # nats
SECONDS_TO_STOP = 0.6
MINUTE, HOUR = 60, 3600


def price(asked: Asked) -> str:
    """What the run will cost, before it is started: counted, and timed by a few updates.

    Returns why it cannot be trained; "" where it can.
    """
    try:
        spent = _costs(asked.recipe, json.dumps(asked.recipe.to_dict()), asked.text)
    except (ValueError, OSError) as error:
        st.error(literal(str(error)))
        return str(error)
    shown = {
        "Parameters": readable_count(spent.parameters),
        "Tokens read": readable_count(spent.tokens),
        "FLOPs in all": readable_count(spent.flops),
        "Time, about": readable_time(spent.seconds),
    }
    metrics(shown)
    st.caption(
        f"{counted(asked.recipe.train.steps, 'update')} at {1000 * spent.seconds_per_update:,.1f} "
        "ms, as measured on this machine; evaluations and whoever else computes come on top."
    )
    return ""


@st.cache_data(show_spinner="Timing a few updates …", max_entries=256)
def _costs(_recipe: Recipe, as_json: str, text: str | None) -> Costs:
    with state.text_beside(text or "") as folder:
        return costs(_recipe, _recipe.make_task(folder))


def readable_time(seconds: float) -> str:
    """Seconds in the unit that a person would say.

    >>> readable_time(75), readable_time(2), readable_time(7200)
    ('1.2 min', '2.0 s', '2.0 h')
    """
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds / MINUTE:.1f} min" if seconds < HOUR else f"{seconds / HOUR:.1f} h"


def launch(asked: Asked) -> None:
    """Start a run of this browser; its random name goes into the URL, for a reload to find it."""
    title = f"{asked.recipe.name}, trained in the app"
    watch(partial(state.run_library().start, asked.recipe, owner(), title=title, text=asked.text))


def branch(run: Watched, step: int, lr: float, steps: int, seed: int) -> None:
    """A new run that begins with the weights which `run` had after `step` updates."""
    recipe = replace(
        run.recipe,
        about=f"It went on from step {step:,} of {run.entry.title}.",
        train=replace(run.recipe.train, lr=lr, steps=steps, seed=seed),
    )
    title = f"{run.entry.title}, from step {step:,}"[:80]
    start = partial(state.run_library().start, recipe, owner(), title=title)
    watch(partial(start, parent=(run.name, step)))


def watch(begin: Callable[[], Job]) -> None:
    """Begin a training and make it the one on screen; or keep the sentence that says why not."""
    try:
        name = begin().directory.name
    except (ValueError, OSError) as error:
        st.session_state["why not"] = str(error)
        return
    look_at(name)


def look_at(name: str) -> None:
    """Make a run the one on screen, and one of this reader's models."""
    for earlier in ("lost run", "left run"):
        st.session_state.pop(earlier, None)
    remember_run(name)
    st.session_state["run"] = st.query_params["run"] = name


def leave() -> None:
    """Back to the form; a training that goes on is not disturbed."""
    st.query_params.pop("run", None)
    st.session_state["left run"] = st.session_state.pop("run", None)


def run_on_screen() -> Watched | None:
    """The run that the URL names, or the one looked at last; a dead link is told once."""
    asked, left = st.query_params.get("run"), st.session_state.pop("left run", None)
    if asked and asked == left:  # by a browser that did not know yet that it was left
        st.session_state["left run"] = left
        st.query_params.pop("run", None)
        asked = None
    name = asked or st.session_state.get("run")
    run = watched(name) if name else None
    if run is not None:
        look_at(name)
    elif name:
        leave()
        st.session_state["lost run"] = name
    if lost := st.session_state.get("lost run"):
        _say_it_is_lost(lost)
    return run


def _say_it_is_lost(name: str) -> None:
    """Until another run is begun: what the link led to cannot be watched."""
    if state.is_run(name):
        st.warning(
            "How this model was trained is not known here, so its training cannot be watched; what "
            "it learned is kept."
        )
        open_button(name, "Open what it learned")
    else:
        st.warning(
            f"There is no training {literal(name[:60])} on this server: a run can be watched on "
            "its own server only, and until it is deleted. Start a new one below."
        )


def say_why_not() -> None:
    """One sentence where what was asked for last could not be done."""
    if why_not := st.session_state.pop("why not", None):
        st.error(literal(why_not))


def ask_where_it_ends(run: Watched) -> None:
    """How far down will the held-out loss come? Graded by the last measurement, when it is over."""
    blind, floor = math.log(classes_of(run.task)), run.task.floor()
    low = floor if floor is not None else blind / 2
    near = low + NEAR_THE_FLOOR if floor is not None else low
    key = f"predict end of {run.name}"
    if not run.is_going_on and st.session_state.get(key) is None:
        return  # the answer is on screen
    options = (
        f"no lower than a blind guess, {blind:.2f}",
        f"between that and {near:.2f}",
        f"within {NEAR_THE_FLOOR} nats of the floor, {low:.2f}"
        if floor is not None
        else f"below {low:.2f}",
    )
    measured = [line["held_out"]["loss"] for line in run.lines() if line["held_out"]]
    answer, because = None, "The run grades it when it is over."
    if not run.is_going_on and measured:
        end = measured[-1]
        answer = options[0 if end >= blind else 1 if end > near else 2]
        because = f"It ended at {end:.3f} nats."
    predict(
        "When this training is over, its loss on sequences it has not seen will be …",
        options,
        answer,
        because,
        key=key,
    )


def can_resume(run: Watched) -> bool:
    return run.entry.state in RESUMABLE and state.run_library().has_save(run.name)


def resume(run: Watched, lr: float | None = None) -> None:
    """For a button's on_click: go on from the last save, with another peak of the rate or not."""
    watch(partial(state.run_library().resume, run.name, lr))


def stop(job: Job) -> None:
    """For a button's on_click: stop, and wait a moment, so that the page already shows its end."""
    job.stop()
    job.thread.join(SECONDS_TO_STOP)


def set_lr(run: Watched, lr: float) -> None:
    """For a button's on_click: from the next update on, the schedule has this peak."""
    if run.job is not None:
        run.job.set_lr(lr)


def open_button(name: str, label: str = "") -> None:
    """A button that leads to the page which opens this run first, where there is one."""
    opens = page_for(architecture_of(name))
    st.button(
        label or (opens or page_for(DECODER_ONLY)).label,
        icon=":material/visibility:",
        key=f"open {name}",
        disabled=opens is None or not state.is_run(name),
        on_click=ask_to_open,
        args=(name,),
    )


def ask_to_open(name: str, page: str = "") -> None:
    """For a button's on_click: app.py leaves this page when it runs next.

    page: one that reads the sidebar's model; a run of another kind goes to its own page all the
    same.
    """
    st.session_state.pop("lost run", None)
    opens = page_for(architecture_of(name)) or page_for(DECODER_ONLY)
    if opens.picker:
        remember_run(name)
        st.session_state["arrive with"] = {opens.picker: name}
    else:
        show_model(name)
    st.session_state["go to"] = opens.page if opens.picker else page or opens.page
