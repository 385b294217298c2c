"""How it formed: a training on one time axis, from random weights to what the model is now."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.formation import (
    on_one_axis,
    patterns_over_training,
    scores_over_training,
    which_first,
)
from pages._ui.layout import counted, literal, prose

st.title("How it formed")
prose("formed")
view = current_view()
if len(view.bundle.snapshots) < 3:
    kept = counted(len(view.bundle.snapshots), "step")
    st.info(
        f"Of the training of {literal(view.name)} only {kept} was kept, so there is nothing "
        "to play back: choose induction or mirror in the sidebar, or train a model here."
    )
    st.stop()
scores = scores_over_training(view)
if which_first(view, scores):
    st.subheader("On one axis")
    on_one_axis(view, scores)
    st.subheader("Every head, step by step")
    patterns_over_training(view)
