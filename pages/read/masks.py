"""Masks: who may look at whom, what softmax does to who may not, and what forgetting it costs."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.layout import prose
from pages._ui.mask_builder import builder, pick_mask
from pages._ui.mask_loss import loss_without_mask
from pages._ui.masked_softmax import head_under_mask

st.title("Masks")
prose("masks")
view = current_view()

st.subheader("Cell by cell")
mask = pick_mask(len(view.tokens))
builder(view, mask)

head_under_mask(view, mask)

st.subheader("And if the mask is forgotten?")
loss_without_mask(view, mask)
