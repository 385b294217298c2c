"""An experiment on the page: what will be run, what came out so far, and each run to be opened."""

import json
import math
from collections.abc import Mapping
from typing import Any

import streamlit as st
import torch

import tfs
from pages._ui import state
from pages._ui.layout import counted, figure, literal
from pages._ui.owner import owner
from pages._ui.predict import predict
from pages._ui.training import ask_to_open, look_at, readable_time
from tfs.interp import weight_change
from tfs.model import kind_of
from tfs.model.architectures import DECODER_ONLY
from tfs.plots import compare_runs, signed_bars
from tfs.train.entry import owner_hash
from tfs.train.estimate import costs
from tfs.train.experiment import Experiment
from tfs.train.experiments import EXPERIMENTS
from tfs.train.outcomes import MEASURES, results, table
from tfs.train.recipe import Recipe
from tfs.train.run_set import RunSet


def pick() -> Experiment | None:
    """One of ours, or a teacher's own from a file; None, with a sentence, where that is none."""
    name = st.selectbox("Experiment", list(EXPERIMENTS), key="experiment", bind="query-params")
    with st.expander("An experiment of your own", key="own experiment"):
        st.caption("A JSON file: take the one below, change it, and bring it in.")
        st.download_button(
            "This experiment as JSON",
            data=json.dumps(EXPERIMENTS[name].to_dict(), indent=2),
            file_name=f"{name}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        file = st.file_uploader("A JSON file", type=["json"], key="experiment file")
    if file is None:
        return EXPERIMENTS[name]
    try:
        return Experiment.from_dict(json.loads(file.getvalue()))
    except (ValueError, OSError) as error:
        st.error(literal(f"{file.name}: {error}"))
        return None


def plan(experiment: Experiment) -> None:
    """Its question, what to look for, what will be run, and what that will cost."""
    st.subheader(literal(experiment.question))
    st.markdown(literal(experiment.look_for))
    runs = experiment.runs()
    seconds = sum(
        run.recipe.train.steps * _seconds_per_update(run.recipe, _as_json(run.recipe))
        for run in runs
    )
    axes = {
        axis: ", ".join(_with_updates(choice, sets) for choice, sets in choices.items())
        for axis, choices in experiment.axes.items()
    }
    st.table(
        {
            "what differs": [*map(literal, axes), "seeds"],
            "choices": [*map(literal, axes.values()), ", ".join(map(str, experiment.seeds))],
        }
    )
    updates = sum(run.recipe.train.steps for run in runs)
    st.caption(
        f"{counted(len(runs), 'run')}, {updates:,} updates in all; about {readable_time(seconds)} "
        "of computing here, as measured by a few updates of each. One run at a time stands in the "
        "queue, so that others have their turn in between."
    )


def _with_updates(choice: str, sets: Mapping[str, Any]) -> str:
    """A choice, with its number of updates where it has one of its own."""
    steps = (sets.get("train") or {}).get("steps")
    return f"{choice} ({steps:,} updates)" if steps else choice


def _as_json(recipe: Recipe) -> str:
    parts = recipe.to_dict()
    return json.dumps([parts["task"], parts["model"] | {"seed": 0}, recipe.train.batch_size])


@st.cache_data(show_spinner="Timing a few updates of each …", max_entries=256)
def _seconds_per_update(_recipe: Recipe, as_json: str) -> float:
    return costs(_recipe).seconds_per_update


def begin(experiment: Experiment) -> None:
    """For a button's on_click: the experiment's name goes into the URL, to be found again by it."""
    try:
        st.query_params["set"] = state.run_sets().begin(experiment, owner())
    except (ValueError, OSError) as error:
        st.session_state["why not"] = str(error)


def set_on_screen() -> RunSet | None:
    """The one that the URL names; one sentence where it is not here."""
    name = st.query_params.get("set")
    if not name:
        return None
    try:
        one = state.run_sets().entry(name)
        st.session_state["set"] = name
        return one
    except ValueError:
        st.query_params.pop("set", None)
        st.warning(
            f"There is no experiment {literal(name[:40])} on this server. Choose one, and "
            "run it here."
        )
        return None


def go_and_stop(one: RunSet) -> None:
    """The buttons, for who began it."""
    with st.container(horizontal=True):
        if one.owner_hash == owner_hash(owner()):
            if one.is_going_on:
                st.button("Stop", icon=":material/stop:", on_click=_stop, args=(one.name,))
            elif len(one.begun) < len(one.runs) or _unfinished(one):
                st.button("Go on", icon=":material/play_arrow:", on_click=_go_on, args=(one.name,))
        st.button("Another experiment", icon=":material/add:", on_click=_leave)


def _unfinished(one: RunSet) -> bool:
    """Whether a run of it was stopped, or deleted, in which case it is done anew."""
    return any(
        not state.is_run(run) or state.run_library().entry(run).state in ("stopped", "interrupted")
        for run in one.begun
    )


def _stop(name: str) -> None:
    state.run_sets().stop(name)


def _go_on(name: str) -> None:
    try:
        state.run_sets().go_on(name, owner())
    except ValueError as error:
        st.session_state["why not"] = str(error)


def _leave() -> None:
    st.query_params.pop("set", None)
    st.session_state.pop("set", None)


def progress(one: RunSet) -> None:
    """How many of its runs have ended, and what is trained now."""
    over = [run for run in one.begun if _is_over(run)]
    deleted = sum(not state.is_run(run) for run in over)
    share = len(over) / max(len(one.runs), 1)
    now = next((run for run in one.begun if run not in over), None)
    said = f"{len(over)} of {counted(len(one.runs), 'run')} done"
    if deleted:
        said += f", {deleted} of them deleted since: Go on does them anew"
    if now:
        entry = state.run_library().entry(now)
        said += f"; now {entry.title}, {entry.state}: step {entry.step:,} of {entry.steps:,}"
    st.progress(share, literal(said))
    if one.why_not:
        st.error(literal(one.why_not))


def _is_over(run: str) -> bool:
    try:
        return state.run_library().entry(run).state in ("finished", "failed")
    except ValueError:
        return True


def came_out(one: RunSet) -> None:
    """One figure for one measure, a line for each choice, and the table of all."""
    outcomes = state.run_sets().outcomes(one.name)
    measured = [name for name in MEASURES if any(name in each.curves for each in outcomes)]
    if not measured:
        st.info("The first evaluation is still to come.")
        return
    if st.session_state.get("measure") not in measured:
        st.session_state["measure"] = measured[0]
    measure = st.segmented_control(
        "Measure", measured, default=measured[0], required=True, key="measure", bind="query-params"
    )
    shown = {each.name: each.curves[measure] for each in outcomes if measure in each.curves}
    if measure == "accuracy" and any("accuracy on seen" in each.curves for each in outcomes):
        for each in outcomes:
            if "accuracy on seen" in each.curves:
                shown[f"{each.name}, on pairs it has seen"] = each.curves["accuracy on seen"]
    figure(
        compare_runs(shown, _references(one.experiment, measure), what=measure),
        key="outcomes",
        code=[results],
    )
    rows = table(outcomes)
    titles = max((list(row) for row in rows), key=len)
    st.dataframe({title: [row.get(title, "") for row in rows] for title in titles}, hide_index=True)
    st.caption(
        "Last values: the mean over the seeds, and in brackets the least and the most. First step: "
        f"the first evaluation with at least {one.experiment.threshold:.0%} of the answers right, "
        "for each seed."
    )


@st.cache_data(show_spinner=False)
def _floor(_experiment: Experiment, as_json: str) -> float | None:
    return _experiment.base.make_task().floor()


def _references(experiment: Experiment, measure: str) -> dict[str, float]:
    """The floor of the loss, where all choices have the same task."""
    tasks = {json.dumps(run.recipe.to_dict()["task"]) for run in experiment.runs()}
    floor = _floor(experiment, tasks.pop()) if len(tasks) == 1 else None
    return {"floor": floor} if measure == "held-out loss" and floor is not None else {}


def ask(one: RunSet) -> None:
    """Which choice ends with the lowest loss? Graded when all runs are over."""
    names = [", ".join(labels.values()) for labels in one.experiment.combinations()]
    if len(names) < 2:
        return
    answer, because = None, "The runs grade it when all are over."
    outcomes = state.run_sets().outcomes(one.name)
    done = [each for each in outcomes if len(each.seeds) == len(one.experiment.seeds)]
    if not one.is_going_on and len(done) == len(names):
        ends = {each.name: each.last["held-out loss"].mean for each in done}
        said = {name: f"{loss:.3f}" for name, loss in ends.items() if math.isfinite(loss)}
        best = min(said.values(), key=float)
        answer = [name for name, loss in said.items() if loss == best]
        because = "They ended at " + ", ".join(f"{loss} ({name})" for name, loss in said.items())
        because += " nats on the mean of their seeds."
    predict(
        "Which of these will end with the lowest loss on what it has not seen?",
        names,
        answer,
        literal(because),
        key=f"predict {one.name}",
    )


def one_run(one: RunSet) -> None:
    """Any of its runs: watched, opened, and what its training has moved."""
    titles = {run: state.run_library().entry(run).title for run in one.begun if state.is_run(run)}
    if not titles:
        return
    st.subheader("One of its runs")
    if st.session_state.get("run of set") not in titles:
        st.session_state.pop("run of set", None)
    run = st.selectbox("Run", list(titles), format_func=titles.get, key="run of set")
    bundle = state.open_any(run).bundle
    with st.container(horizontal=True):
        st.button("Watch it", icon=":material/model_training:", on_click=_watch, args=(run,))
        if kind_of(bundle.model).architecture == DECODER_ONLY:  # else those pages cannot read it
            for page, title in (("attention", "Its attention"), ("formed", "How it formed")):
                st.button(title, key=f"{title} of set", on_click=ask_to_open, args=(run, page))
    if len(bundle.snapshots) > 1:
        _what_moved(run, bundle)


def _watch(run: str) -> None:
    look_at(run)
    st.session_state["go to"] = "live"


def _what_moved(run: str, bundle: tfs.Bundle) -> None:
    first = state.open_any(run, bundle.snapshots[0]).bundle.model
    change = weight_change(first, bundle.model)
    change = {part: value for part, value in change.items() if math.isfinite(value)}
    st.caption(
        "What its training has moved: the distance of each part's weights from where they were at "
        f"step {bundle.snapshots[0]}, divided by their length there."
    )
    directory = str(state.directory_of(run))
    figure(
        signed_bars(torch.tensor(list(change.values())), list(change), x_title="relative change"),
        key="moved",
        code=[weight_change],
        reads="all weights",
        program="\n".join(
            [
                "import torch",
                "import tfs",
                "from tfs.interp import weight_change",
                "",
                f"bundle = tfs.load({directory!r})",
                "change = weight_change(bundle.at_step(bundle.snapshots[0]), bundle.model)",
                "result = [value for value in change.values() if value < float('inf')]",
            ]
        ),
    )
