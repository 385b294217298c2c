"""How it formed: a training on one time axis, from random weights to what the model is now."""

import contextlib

import streamlit as st

from pages._ui import state
from pages._ui.controls import current_view
from pages._ui.formation import (
    on_one_axis,
    patterns_over_training,
    scores_over_training,
    which_first,
)
from pages._ui.layout import literal, prose
from pages._ui.replay import loss_history
from tfs.train.run_library import GOING_ON


def _is_going_on(name: str) -> bool:
    """Whether it is being trained; a run that was only saved has no training to ask about."""
    with contextlib.suppress(ValueError):
        return state.is_run(name) and state.run_library().entry(name).state in GOING_ON
    return False


st.title("How it formed")
prose("formed")
view = current_view()
steps = view.bundle.snapshots
if len(steps) < 2:
    name = literal(view.name)
    if _is_going_on(view.name):
        st.info(f"{name} has only begun to be trained: come back when it has kept some steps.")
    else:
        st.info(
            f"No weights were kept while {name} was trained, so only its loss can be played back: "
            "for heads choose induction or mirror in the sidebar, or train a model here."
        )
    if loss_history(view.name):
        on_one_axis(view, steps, {})
    st.stop()
scores = scores_over_training(view, steps)
if which_first(steps, scores):
    st.subheader("On one axis")
    on_one_axis(view, steps, scores)
    st.subheader("Every head, step by step")
    patterns_over_training(view, steps)
