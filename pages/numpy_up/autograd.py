"""Autograd: a formula becomes a graph; values go forward through it, and gradients back."""

import streamlit as st

from pages._ui.autograd import SUMMED, draw, pick, say, walked
from pages._ui.autograd_check import of_the_names, table, verdict
from pages._ui.layout import prose

st.title("Autograd")
prose("autograd")
walk = pick()
step = walked(walk)
say(walk, step)
draw(walk, step)
st.caption(
    "Blue: its value is known. Orange: so is its gradient, or a part of it. Yellow: this step."
    + SUMMED * walk.is_summed
)

st.subheader("Every node, and its gradient measured")
table(walk, step)
if len(walk.complete(step)) == len(walk.back):
    verdict(walk)

st.subheader("What each number does to the result")
of_the_names(walk, step)
