"""Autograd: a formula becomes a graph; values go forward through it, and gradients back."""

import streamlit as st

from pages._ui.autograd import draw, of_the_names, pick, say, table, verdict
from pages._ui.layout import prose
from pages._ui.steps import PLAY, counter

st.title("Autograd")
prose("autograd")
walk = pick()
last = len(walk.nodes) + len(walk.back)
step = counter(
    last,
    key="walk",
    label="Steps walked: forward to the result, then back",
    name="step",
    start=last,
    jumps=(PLAY, {"name": "From the start", "to": 0}),
)
say(walk, step)
draw(walk, step)
st.caption(
    "Blue: its value is known. Orange: so is its gradient, or a part of it. Yellow: this step."
)

st.subheader("Every node, and its gradient measured")
table(walk, step)
if step == last:
    verdict(walk)

st.subheader("What each number does to the result")
of_the_names(walk)
