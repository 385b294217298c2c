"""Masks: who may look at whom, and what softmax does to those who may not."""

import streamlit as st

from pages._ui.controls import current_view, pick_layer_and_head
from pages._ui.layout import figure, prose
from tfs.interp import attention_steps
from tfs.model.decoder import causal_mask
from tfs.plots import attention_mask, attention_pattern, attention_scores

SIDE_BY_SIDE = 340  # pixels: three squares in a row

st.title("Masks")
prose("masks")
view = current_view()
pos = len(view.tokens)

st.subheader("The causal mask")
figure(attention_mask(causal_mask(pos, pos), view.labels), key="mask", code=[causal_mask])

st.subheader("Scores before, scores after, and what softmax makes of them")
layer, head = pick_layer_and_head(view.model.cfg)
_, cache = view.run()
steps = attention_steps(view.model, cache, layer)
reads = f"blocks.{layer}.attn.hook_{{}} [batch head query_pos key_pos]"
before, after, softmax = st.columns(3)
with before:
    figure(
        attention_scores(steps.scores[head], view.labels, title="q k / scale"),
        key="before",
        code=[attention_steps],
        reads=f"blocks.{layer}.attn.hook_q, hook_k [batch pos head d_head]",
        height=SIDE_BY_SIDE,
    )
with after:
    figure(
        attention_scores(steps.masked[head], view.labels, title="masked"),
        key="after",
        code=[attention_steps],
        reads=reads.format("attn_scores"),
        height=SIDE_BY_SIDE,
    )
with softmax:
    figure(
        attention_pattern(steps.pattern[head], view.labels, title="softmax"),
        key="softmax",
        code=[attention_steps],
        reads=reads.format("pattern"),
        height=SIDE_BY_SIDE,
    )
pattern = steps.pattern[head]
hidden = pattern[~causal_mask(pos, pos)]
sums = pattern.sum(-1)
st.caption(
    f"Largest weight on a masked cell, over {hidden.numel()} of them: "
    f"{hidden.max().item() if hidden.numel() else 0:.1f}. The rows of the pattern sum to "
    f"{sums.min():.4f} at least and {sums.max():.4f} at most."
)
