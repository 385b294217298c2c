"""Digits: a network of hand-derived layers reads a held-out image, or one drawn here."""

import streamlit as st

from pages._ui.digit_canvas import digit_canvas
from pages._ui.digit_training import how_it_learns, trained
from pages._ui.digit_views import how_it_does, read_image
from pages._ui.layout import prose

HELD_OUT, OWN = SOURCES = ("Held out", "Draw one")

st.title("Digits")
prose("digits")
left, right = st.columns(2)
source = left.segmented_control(
    "Image", SOURCES, default=HELD_OUT, required=True, key="image", bind="query-params"
)
seed = right.number_input(
    "Seed of the training", 0, 9999, 0, key="digits seed", bind="query-params"
)
known = trained(seed)

if source == HELD_OUT:
    last = len(known.split.held_out.labels) - 1
    number = st.number_input(f"Number, up to {last}", 0, last, 0, key="digit", bind="query-params")
    pixels = known.split.held_out.pixels[number]
    st.caption(f"Whoever wrote it meant a {known.split.held_out.labels[number]}.")
else:
    blank = st.session_state.setdefault("blank canvas", 0)
    pixels = digit_canvas(key=f"canvas {blank}")
    st.caption(
        "The network learned from scans of ink on paper; it may misread what a mouse has drawn."
    )
    if st.button("Start again", icon=":material/ink_eraser:"):
        st.session_state["blank canvas"] += 1
        st.rerun()

if pixels.any():
    read_image(known, pixels, seed)
else:
    st.info("There is no ink yet: draw a digit that fills the square, and it is read at once.")

st.subheader("On all held-out digits")
how_it_does(known, seed)

st.subheader("How it learned")
how_it_learns(seed)
