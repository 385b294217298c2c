"""Which attention the page of attention shows: a decoder's, or one of a model of two texts."""

import streamlit as st

from pages._ui import kept
from pages._ui.opened_by import OF_TWO_TEXTS
from pages._ui.pair_attention import (
    ROWS_OF_WRITTEN,
    cross_attention,
    decoder_attention,
    encoder_attention,
    every_head,
    one_head,
    pick_head_and_cell,
    scores_of_query,
)
from pages._ui.pair_picker import pick_step, pick_two_texts, say_what_is_written

DECODER, ENCODER, CROSS, WRITTEN = "decoder", "encoder", "cross", "written"
NAMES = {DECODER: "decoder-only"} | OF_TWO_TEXTS
ABOUT = {
    DECODER: "A model that goes on with one text, the one in the sidebar: every position sees "
    "itself and what stands before it.",
    ENCODER: "The half of a model of two texts that reads: every position sees all others, before "
    "and behind it.",
    CROSS: "Between two texts: queries come from the text that is written, keys and values from "
    "the one that was read. Nothing is masked, for all of it is there.",
    WRITTEN: "The half of a model of two texts that writes, looking back at what is written so "
    f"far. {ROWS_OF_WRITTEN}",
}


def which_attention() -> str:
    """Of a decoder, of an encoder, between two texts, or of what is written; kept in the URL."""
    asked = st.query_params.get("of", "")
    if "of" not in st.session_state and asked in NAMES:  # a link names the option, not its label
        kept.say({"of": NAMES[asked]})
    which = st.segmented_control(
        "Which attention",
        list(ABOUT),
        default=DECODER,
        required=True,
        format_func=lambda each: NAMES[each],
        key="of",
        bind="query-params",
    )
    st.caption(ABOUT[which])
    return which


def one_of_two_texts(which: str) -> None:
    """All heads of it, one of them large, and the scores that its weights are made of."""
    two = pick_two_texts()
    step = len(two.written)
    if which != ENCODER:
        step = pick_step(two)
        say_what_is_written(two, step)
    part = {
        ENCODER: lambda: encoder_attention(two),
        CROSS: lambda: cross_attention(two, step),
        WRITTEN: lambda: decoder_attention(two, step),
    }[which]()
    cfg, above = two.model.cfg, st.container()
    st.subheader("One head")
    at = pick_head_and_cell(two, part)
    with above:
        st.subheader(f"All {cfg.n_layers * cfg.n_heads} heads")
        every_head(two, part, at)
    one_head(two, part, at)
    st.subheader("From q and k to weights")
    scores_of_query(two, part, at)
