"""Experiments: a question, runs that differ in one thing or two, and what came out."""

import streamlit as st

from pages._ui import state
from pages._ui.experiment_view import (
    ask,
    begin,
    came_out,
    go_and_stop,
    one_run,
    pick,
    plan,
    progress,
    set_on_screen,
)
from pages._ui.layout import literal, prose
from pages._ui.owner import owner
from pages._ui.training import say_why_not
from tfs.train.run_set import RunSet

SECONDS_BETWEEN_LOOKS = 2.0

st.title("Experiments")


def before() -> None:
    """Choose one, see what it takes, and run it."""
    prose("experiments")
    experiment = pick()
    if experiment is not None:
        plan(experiment)
        st.button(
            "Run it",
            icon=":material/play_arrow:",
            on_click=begin,
            args=(experiment,),
            width="stretch",
        )
        if experiment.found:
            with st.expander("What came out when we tried it", key="found"):
                st.markdown(literal(experiment.found))
    if earlier := state.run_sets().entries(owner()):
        st.subheader("Experiments of this browser")
        for one in earlier:
            st.page_link(
                "pages/train/experiments.py",
                label=f"{one.experiment.question} ({len(one.begun)} of {len(one.runs)} runs begun)",
                query_params={"set": one.name},
            )


def during(one: RunSet) -> None:
    """What came out so far, drawn anew while it goes on."""
    st.subheader(literal(one.experiment.question))
    st.markdown(literal(one.experiment.look_for))
    go_and_stop(one)
    ask(one)

    @st.fragment(run_every=SECONDS_BETWEEN_LOOKS if one.is_going_on else None)
    def look() -> None:
        if st.session_state.get("set") != one.name:  # asked for before the reader left it
            return
        now = state.run_sets().entry(one.name)
        if (now.is_going_on, len(now.begun)) != (one.is_going_on, len(one.begun)):
            st.rerun()
        progress(now)
        came_out(now)

    look()
    one_run(one)


say_why_not()
on_screen = set_on_screen()
if on_screen is None:
    before()
else:
    during(on_screen)
