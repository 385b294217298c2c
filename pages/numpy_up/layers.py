"""Layers by hand: forward, derivation, written backward, and a check that finds wrong ones."""

import streamlit as st

from pages._ui.derivation import derivation
from pages._ui.hand_layers import (
    LAYERS,
    edited_input,
    show_backward,
    show_check,
    show_forward,
    verdict,
    worked,
)
from pages._ui.layout import literal, prose, sentence
from tfs.numpy_engine.by_hand import Dropout

st.title("Layers by hand")
prose("layers")

left, right = st.columns(2)
name = left.selectbox("Layer", list(LAYERS), key="hand", bind="query-params")
seed = right.number_input("Seed", 0, 9999, 0, key="hand seed", bind="query-params")
mistaken = st.toggle(
    "Write its backward wrong, as it often is", key="mistaken", bind="query-params"
)

st.subheader("Forward")
st.caption("Change any number of the input; everything below is computed anew.")
x = edited_input(name, seed)
try:
    work = worked(name, seed, x, mistaken=mistaken)
except ValueError as error:
    st.error(literal(sentence(error)))
    st.stop()
show_forward(work)
if isinstance(work.layer, Dropout):
    st.caption(f"Its rate r is {work.layer.rate}; which numbers are dropped, the seed draws.")

st.subheader("Derivation")
st.markdown(
    "The loss L is the sum of the output's numbers, each times one that is drawn: **g**, above. So "
    "g is the gradient of L with respect to the output, where the way back begins: here it is "
    "drawn, and in a network it comes from the next layer."
)
derivation(LAYERS[name])

st.subheader("Backward")
show_backward(LAYERS[name], mistaken=mistaken)

st.subheader("Gradient check")
st.caption(
    "Measured: every number is moved a little up and a little down, and L is computed both times; "
    "that is never quite exact. Autodiff's gradient is, but for rounding."
)
verdicts = st.container()
checked = show_check(work)
with verdicts:
    verdict(checked, work)
