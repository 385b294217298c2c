"""Replay: any page on the weights that a model had at a kept step of its training."""

import bisect

import streamlit as st

import tfs
from pages._ui import state
from pages._ui.components import component
from tfs.train.run import read_metrics

LATEST = -1  # of a training that goes on: its newest weights, whose step has no snapshot
MOST_POINTS = 200

_replay = component(
    "replay", '<div class="replay"><div class="status" aria-live="polite"></div></div>'
)


def replay(name: str) -> None:
    """Below the model's name: which of its kept steps is on screen, and its loss curve.

    The choice stands in the URL as `snapshot`. A model without a past has nothing to choose.
    """
    try:
        steps = kept_steps(name)
    except tfs.CheckpointError:
        return
    if len(steps) < 2:
        return
    if st.session_state.get("snapshot", LATEST) not in steps:
        st.session_state["snapshot"] = steps[-1]
    at = st.select_slider(
        "Training step",
        steps,
        steps[-1],
        format_func=named,
        key="snapshot",
        bind="query-params",
        help="What every page shows is the model as it was after so many updates.",
    )
    measured = loss_history(name)
    _replay(
        key="replay",
        data={
            "run": name,
            "steps": [named(step) for step in steps],
            "place": steps.index(at) if at in steps else len(steps) - 1,
            "press": st.session_state.get("replay press", 0),
            "curve": _curve(measured, steps),
            "losses": [_loss_at(measured, step) for step in steps],
        },
        on_at_change=lambda: _moved(steps),
    )


def step_on_screen(name: str, key: str = "snapshot") -> int | None:
    """The kept step that the reader chose; None for the weights as they are in the end."""
    chosen = st.session_state.get(key, LATEST)
    steps = kept_steps(name)
    return chosen if chosen in steps[:-1] else None


def stand_at_the_end(name: str) -> None:
    """After a change of model, before the slider is made; not by leaving the choice to the URL."""
    if steps := kept_steps(name):
        st.session_state["snapshot"] = steps[-1]


def kept_steps(name: str) -> list[int]:
    """Kept steps, and LATEST where the weights are those of none of them."""
    steps = state.open_model(name).bundle.snapshots
    return steps if ends_with_snapshot(name) else [*steps, LATEST]


def named(step: int) -> str:
    return "now" if step == LATEST else str(step)


def _moved(steps: list[int]) -> None:
    """Before the page is drawn, as a counter's press."""
    at = st.session_state["replay"]["at"]
    st.session_state["snapshot"] = steps[min(max(int(at["place"]), 0), len(steps) - 1)]
    st.session_state["replay press"] = at["press"]


def _curve(measured: list[tuple[int, float]], steps: list[int]) -> list[tuple[float, float]]:
    """Losses over the places of kept steps, which lie at equal distances; straight in between."""
    last = max([step for step, _ in measured], default=0)
    known = [last if step == LATEST else step for step in steps]
    thinned = measured[:: max(1, len(measured) // MOST_POINTS)]
    return [(_place(step, known), loss) for step, loss in thinned if step <= known[-1]]


def _place(step: int, known: list[int]) -> float:
    after = bisect.bisect_left(known, step)
    if after == 0:
        return 0.0
    low, high = known[after - 1], known[min(after, len(known) - 1)]
    return after - 1 + (step - low) / max(high - low, 1)


def last_step(name: str) -> int:
    """How many updates the weights of `name` have had in the end, as far as its files tell."""
    kept = state.open_model(name).bundle.snapshots
    return max([step for step, _ in loss_history(name)[-1:]] + kept[-1:], default=0)


def _loss_at(measured: list[tuple[int, float]], step: int) -> float | None:
    """The loss that was measured nearest to a step, and not after it unless it is the first."""
    if not measured:
        return None
    if step == LATEST:
        return measured[-1][1]
    place = bisect.bisect_right([at for at, _ in measured], step)
    return measured[max(place - 1, 0)][1]


def ends_with_snapshot(name: str) -> bool:
    """Whether the weights of `name` are those of its last kept step, as when a training is over."""
    opened = state.open_model(name)
    steps = opened.bundle.snapshots
    return bool(steps) and state.open_model(name, steps[-1]).fingerprint == opened.fingerprint


def loss_history(name: str) -> list[tuple[int, float]]:
    """After how many updates a model had which loss (nats per counted token), in order.

    The loss that an update reports was measured before it, on its own batch; the last one is on
    held-out sequences.
    """
    return _loss_history(name, state.changed_at(state.directory_of(name) / "metrics.jsonl"))


@st.cache_data(show_spinner=False, max_entries=64)
def _loss_history(name: str, changed: int) -> list[tuple[int, float]]:
    metrics = read_metrics(state.directory_of(name))
    measured = [(line["step"] - 1, line["loss"]) for line in metrics]
    if metrics and (held_out := metrics[-1]["held_out"]):
        measured.append((metrics[-1]["step"], held_out["loss"]))
    return measured
