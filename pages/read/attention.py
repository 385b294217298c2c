"""Attention: every head at a glance, one head large, and its steps from scores to pattern."""

import streamlit as st

from pages._ui.controls import current_view, pick_layer_and_head
from pages._ui.layout import figure, prose
from tfs.interp import attention_steps, head_scores
from tfs.model.layers import Attention
from tfs.plots import attention_grid, attention_pattern, attention_scores
from tfs.plots import head_scores as head_scores_figure

st.title("Attention")
prose("attention")
view = current_view()
cfg = view.model.cfg
_, cache = view.run()

st.subheader(f"All {cfg.n_layers * cfg.n_heads} heads")
figure(
    attention_grid(cache.stack_activation("pattern"), view.labels, columns=8),
    key="grid",
    code=[Attention.explicit_attention],
    reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
)

st.subheader("One head")
layer, head = pick_layer_and_head(cfg)
figure(
    attention_pattern(cache["pattern", layer][head], view.labels, title=f"L{layer}H{head}"),
    key="large",
    code=[Attention.explicit_attention],
    reads=f"blocks.{layer}.attn.hook_pattern [batch head query_pos key_pos]",
)

st.subheader("From scores to pattern")
steps = attention_steps(view.model, cache, layer)
step = st.segmented_control(
    "Step",
    ["1 scores", "2 mask", "3 softmax"],
    default="1 scores",
    required=True,
    key="step",
    bind="query-params",
)
if step == "1 scores":
    scale = f"divided by {cfg.attn_scale:.3f}" if cfg.use_attn_scale else "not scaled"
    st.caption(f"Each query's dot product with each key, {scale}.")
    drawn = attention_scores(steps.scores[head], view.labels, title=f"L{layer}H{head}: scores")
    reads = f"blocks.{layer}.attn.hook_q, hook_k [batch pos head d_head]"
elif step == "2 mask":
    st.caption("Keys after the query are set to minus infinity.")
    drawn = attention_scores(steps.masked[head], view.labels, title=f"L{layer}H{head}: masked")
    reads = f"blocks.{layer}.attn.hook_attn_scores [batch head query_pos key_pos]"
else:
    st.caption("exp of each score over the sum of its row: what is masked becomes 0.")
    drawn = attention_pattern(steps.pattern[head], view.labels, title=f"L{layer}H{head}: pattern")
    reads = f"blocks.{layer}.attn.hook_pattern [batch head query_pos key_pos]"
figure(drawn, key="steps", code=[attention_steps], reads=reads)

st.subheader("What kind of head is it?")
st.caption(
    "Mean attention to the token before, to earlier copies of the same token, and to what came "
    "after those copies, on this prompt. A high score is a hint, not a proof."
)
for column, (name, scores) in zip(st.columns(3), view.head_scores().items(), strict=True):
    with column:
        if scores.isnan().all():
            st.info(f"No {name} score: this prompt has no place where such a head would look.")
            continue
        figure(head_scores_figure(scores, name), key=name, code=[head_scores])
