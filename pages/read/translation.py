"""Two texts: one is read, another is written from it, and cross-attention joins them."""

import streamlit as st

from pages._ui.layout import prose
from pages._ui.two_texts import (
    both_ways,
    candidates,
    cross_attention,
    pick,
    pick_layer_and_head,
    pick_step,
    say_what_is_written,
    written_so_far,
)

st.title("Two texts")
prose("translation")
two = pick()
step = pick_step(two)
say_what_is_written(two, step)
layer, head = pick_layer_and_head(two.bundle.model.cfg)

st.subheader("Cross-attention: where each token that is written looks in what was read")
cross_attention(two, step, layer, head)

st.subheader("The encoder sees both ways")
both_ways(two, layer, head)

st.subheader("The decoder sees what is written so far")
written_so_far(two, step, layer, head)

st.subheader("What a beam search weighs for this token")
candidates(two, step)
