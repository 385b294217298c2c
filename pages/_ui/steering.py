"""The buttons of a run: pause, stop, resume, another learning rate, a branch, where to see it."""

from collections.abc import Callable

import streamlit as st

from pages._ui.layout import counted, literal
from pages._ui.owner import owner
from pages._ui.training import (
    ask_to_open,
    branch,
    can_resume,
    leave,
    open_button,
    resume,
    set_lr,
    stop,
)
from pages._ui.watched import Watched
from tfs.train.entry import owner_hash
from tfs.train.run_library import RESUMABLE

SEEN_IN = {
    "attention": "Attention",
    "formed": "How it formed",
    "embeddings": "Embeddings",
    "block": "The block",
    "output": "Output",
    "lens": "Logit lens",
}


def steering(run: Watched) -> None:
    """Not in the part that is drawn anew every moment, which could swallow a press; and what comes
    and goes stands after what stays, so that no button moves from under the mouse.
    """
    st.markdown(f"**{literal(run.entry.title)}**, run `{run.name}`")
    mine = run.entry.owner_hash == owner_hash(owner())
    opened = run.opened()
    with st.container(horizontal=True, vertical_alignment="top"):
        _open(run)
        st.button("New run", icon=":material/add:", on_click=leave)
        if opened is not None and opened.bundle.snapshots:
            _branch(run, opened.bundle.snapshots)
    if mine:
        with st.container(horizontal=True, vertical_alignment="top"):
            _go_and_stop(run)
    else:
        st.caption(
            "This run was begun elsewhere, in another browser or a terminal. You can watch it, "
            "open it and branch from it; who began it steers it."
        )


def _go_and_stop(run: Watched) -> None:
    now, job = run.entry.state, run.job
    going_on = job is not None and run.is_going_on
    if can_resume(run):
        _go_button("Resume", "play_arrow", resume, run)
        _learning_rate(run, "Resume with it", resume, "From the last save on.")
    elif now in RESUMABLE:
        st.caption(
            "It has no save that a training could go on from. So it is with what was brought in, "
            "what numpy trained, and what ended before its first save."
        )
    elif now == "paused" and job:
        _go_button("Go on", "play_arrow", job.resume)
    elif going_on:
        _go_button("Pause", "pause", job.pause)
    if going_on:
        st.button("Stop", icon=":material/stop:", on_click=stop, args=(job,))
        _learning_rate(run, "Change it", set_lr, "From the next update on.")


def _go_button(label: str, icon: str, press: Callable, *args: object) -> None:
    """One button, whatever it says: two would stand side by side while the page is drawn."""
    st.button(label, key="go", icon=f":material/{icon}:", on_click=press, args=args)


def _open(run: Watched) -> None:
    """Into any of the pages that read a model, where they can."""
    open_button(run.name)
    with st.popover("Open it in …", disabled=run.view() is None):
        for page, title in SEEN_IN.items():
            st.button(title, key=f"open in {page}", on_click=ask_to_open, args=(run.name, page))


def _learning_rate(run: Watched, label: str, press: Callable, since: str) -> None:
    with st.popover("Learning rate", icon=":material/speed:"):
        st.caption(f"The peak of the schedule. {since}")
        lr = st.number_input(
            "Peak", 1e-7, 10.0, run.recipe.train.lr, format="%.6g", step=1e-4, key="new lr"
        )
        st.button(label, key="change lr", on_click=press, args=(run, lr))


def _branch(run: Watched, snapshots: list[int]) -> None:
    """A new run from any kept step of this one."""
    with st.popover("Branch", icon=":material/fork_right:", key=f"branch from {run.name}"):
        st.caption("A new run begins with the weights of a kept step; this one stays as it is.")
        step = snapshots[-1]
        if len(snapshots) > 1:
            step = st.select_slider("From step", snapshots, step, key="branch step")
        config = run.recipe.train
        lr = st.number_input(
            "Peak learning rate", 1e-7, 10.0, config.lr, format="%.6g", step=1e-4, key="branch lr"
        )
        steps = st.number_input("Updates", 1, 100_000, config.steps, key="branch steps")
        seed = st.number_input("Seed", 0, 2**31 - 1, config.seed + 1, key="branch seed")
        st.button(
            "Train the branch",
            icon=":material/play_arrow:",
            on_click=branch,
            args=(run, step, lr, int(steps), int(seed)),
        )
        st.caption(f"It will train for {counted(int(steps), 'update')} more.")
