"""Attention: every head at a glance, one head large, and its road from scores to the stream."""

import streamlit as st
import torch

from pages._ui.all_heads import ask_which_head, every_head
from pages._ui.attention_road import road
from pages._ui.components import token_strip
from pages._ui.controls import current_view, lock_token, pick_layer_and_head, pick_token
from pages._ui.head_kinds import head_kinds
from pages._ui.large_head import WITHOUT_FIRST, weight_and_contribution
from pages._ui.layout import prose
from pages._ui.pair_kinds import DECODER, one_of_two_texts, which_attention
from tfs.interp import hide_first_token, mirror_score


def of_one_text() -> None:
    """A decoder's attention to what stands before, of the sidebar's model on its prompt."""
    view = current_view()
    cfg, (_, cache) = view.model.cfg, view.run()
    tokens = torch.tensor(view.tokens).expand(cfg.n_layers, -1)
    mirror = mirror_score(cache.stack_activation("pattern"), tokens)
    may_show, above = ask_which_head(view, mirror), st.container()
    st.subheader("One head")
    layer, head = pick_layer_and_head(cfg)
    with st.container(horizontal=True):
        query = pick_token(view, "Query token")
        key = pick_token(view, "Key token", key="key token")
    if may_show:
        with above:
            every_head(view, layer, head, query, key)
    with st.container(horizontal=True):
        turned = st.toggle("Keys as rows", key="turned", bind="query-params")
        hidden = st.toggle("Hide the first token", key="hide", bind="query-params")
        own = st.toggle(
            "Each row by its own largest value",
            key="own head",
            bind="query-params",
            help="In both maps. Shows where a row looks, and what it takes, even if it spreads its "
            "weight thin; a hover still says the number itself.",
        )
    if hidden:
        st.caption(WITHOUT_FIRST)
    pattern = cache["pattern", layer][head]
    shown = hide_first_token(pattern) if hidden else pattern
    token_strip(
        view.labels,
        key="strip",
        name=f"The prompt, coloured by the attention of L{layer}H{head}",
        lock=key if turned else query,
        weights=shown.T if turned else shown,
        phrase="is looked at by" if turned else "looks at",
        on_lock=lambda index: lock_token(index, "key token" if turned else "token"),
    )
    weight_and_contribution(
        view, layer, head, shown, locked=(query, key), hidden=hidden, turned=turned, own=own
    )

    st.subheader("From q and k to the residual stream")
    if query is None:
        st.caption("No query is locked, so this is the one in the middle.")
    road(view, layer, head, len(view.tokens) // 2 if query is None else query, key)

    st.subheader("What kind of head is it?")
    if may_show:
        head_kinds(view, mirror, (layer, head))
    else:
        st.caption("Hidden with the picture above, until you have answered the question about it.")


st.title("Attention")
prose("attention")
which = which_attention()
if which == DECODER:
    of_one_text()
else:
    one_of_two_texts(which)
