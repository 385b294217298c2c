"""Layers by hand: forward, derivation, written backward, and a check that finds wrong ones."""

import streamlit as st

from pages._ui.derivation import derivation
from pages._ui.hand_layers import (
    LAYERS,
    edited_input,
    show_check,
    show_forward,
    source_of,
    verdict,
    worked,
)
from pages._ui.layout import literal, prose
from tfs.numpy_engine.by_hand import MISTAKEN
from tfs.numpy_engine.by_hand.by_autodiff import on_tensors

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
    st.error(literal(f"{str(error)[0].upper()}{str(error)[1:]}."))
    st.stop()
show_forward(work)

st.subheader("Derivation")
derivation(LAYERS[name])

st.subheader("Backward")
kind = MISTAKEN[LAYERS[name]] if mistaken else LAYERS[name]
written, walked = st.columns(2)
with written:
    st.caption("Written by hand, from the derivation")
    source_of(kind.backward)
with walked:
    st.caption("Left to autodiff: the forward in the smallest operations; the engine walks back")
    source_of(on_tensors.dispatch(kind))

st.subheader("Gradient check")
st.caption(
    "L is the sum of the output's numbers, each times one that is drawn. Measured: every number is "
    "moved a little up and a little down, and L is computed both times; that is never quite exact. "
    "Autodiff's gradient is, but for rounding."
)
verdicts = st.container()
checked = show_check(work)
with verdicts:
    verdict(checked, work)
