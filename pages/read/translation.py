"""Two texts: one is read, another is written from it, and cross-attention joins them."""

import streamlit as st

from pages._ui.beam_view import beam_search
from pages._ui.layout import prose
from pages._ui.pair_alignment import (
    RINGED,
    head_scores,
    known_alignment,
    missed_heads,
    say_scores,
)
from pages._ui.pair_attention import (
    ROWS_OF_WRITTEN,
    cross_attention,
    decoder_attention,
    encoder_attention,
    every_head,
    one_head,
    pick_head_and_cell,
)
from pages._ui.pair_picker import pick_step, pick_two_texts, say_what_is_written

st.title("Two texts")
prose("translation")
two = pick_two_texts()
step = pick_step(two)
say_what_is_written(two, step)

st.subheader("Cross-attention: where each token that is written looks in what was read")
aligned = known_alignment(two, step)
scores = None if aligned is None else head_scores(two, aligned).flatten()
cross, mosaic = cross_attention(two, step), st.container()
at = pick_head_and_cell(two, cross)
with mosaic:
    every_head(two, cross, at, told=lambda i: "" if scores is None else f" · {scores[i]:.0%}")
one_head(two, cross, at, rings=aligned, ringed=RINGED)
if aligned is not None:
    say_scores(two, aligned)

st.subheader("Is a head missed?")
missed_heads(two, aligned, step)

st.subheader("The encoder sees both ways")
one_head(two, encoder_attention(two), at, locks=False)

st.subheader("The decoder sees what is written so far")
st.caption(ROWS_OF_WRITTEN)
one_head(two, decoder_attention(two, step), at, locks=False)

st.subheader("Several beams instead of the likeliest token each time")
beam_search(two, step)
