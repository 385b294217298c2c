"""One head of all layers in a single menu, for a page whose pickers stand elsewhere."""

import streamlit as st

import tfs


def pick_named_head(cfg: tfs.TransformerConfig, *, key: str) -> tuple[int, int]:
    """A layer and a head, chosen by name (L0H1); the first where the model lacks it."""
    heads = {
        f"L{layer}H{head}": (layer, head)
        for layer in range(cfg.n_layers)
        for head in range(cfg.n_heads)
    }
    if st.session_state.get(key) not in heads:
        st.session_state.pop(key, None)
    return heads[st.selectbox("Head", list(heads), key=key, bind="query-params")]
