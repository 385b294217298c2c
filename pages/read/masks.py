"""Masks: who may look at whom, what softmax does to who may not, and what forgetting it costs."""

import streamlit as st

from pages._ui.controls import current_view, pick_layer_and_head
from pages._ui.layout import prose
from pages._ui.mask_builder import builder, pick_mask
from pages._ui.mask_loss import loss_without_mask
from pages._ui.masked_softmax import before_and_after, one_row

st.title("Masks")
prose("masks")
view = current_view()

st.subheader("Cell by cell")
mask = pick_mask(len(view.tokens))
builder(view, mask)

st.subheader("What it does to a head")
layer, head = pick_layer_and_head(view.model.cfg)
before_and_after(view, mask, layer, head)

st.subheader("What softmax makes of a closed cell")
one_row(view, mask, layer, head)

st.subheader("And if the mask is forgotten?")
loss_without_mask(view, mask)
