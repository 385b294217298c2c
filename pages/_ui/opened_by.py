"""Which page opens a run: that depends on the architecture of its model."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

import tfs
from pages._ui import state
from tfs.model.architectures import (
    DECODER_ONLY,
    ENCODER_DECODER,
    ENCODER_ONLY,
    PAIR_CLASSIFIER,
    TOKEN_CLASSIFIER,
)
from tfs.train.checkpoint import bundled_names, read_config


class Opens(NamedTuple):
    """A page by its place in the URL, what a button that leads there says, and the key of the
    picker that is to name the run; "" for the sidebar's."""

    page: str
    label: str
    picker: str = ""


OWN_MODELS = {
    *("bugs", "translation", "both_ways"),
    *("autograd", "layers", "digits", "word_vectors", "numpy_transformer"),
}
OF_TWO_TEXTS = {  # choices of the page of attention, with what a reader calls them
    "encoder": "encoder of two texts",
    "cross": "cross, between two texts",
    "written": "decoder of two texts",
}
BOTH_WAYS = Opens("both_ways", "Open in Both ways", "both")
PAGES = {
    DECODER_ONLY: Opens("attention", "Open its attention"),
    ENCODER_DECODER: Opens("translation", "Open in Two texts", "pair"),
    **dict.fromkeys((ENCODER_ONLY, TOKEN_CLASSIFIER, PAIR_CLASSIFIER), BOTH_WAYS),
}


def page_for(architecture: str) -> Opens | None:
    """The page that a run of this architecture is opened on first; None where no page reads it."""
    return PAGES.get(architecture)


def architecture_of(name: str) -> str:
    """Of a bundled model or a run; "" where there is none, or its config cannot be read."""
    path = state.directory_of(name) / "config.json"
    return _architecture(str(path), state.changed_at(path))


@st.cache_data(show_spinner=False, max_entries=512)
def _architecture(path: str, changed: int) -> str:
    try:
        return read_config(Path(path)).architecture
    except tfs.CheckpointError:
        return ""


def page_of(name: str) -> Opens | None:
    """The page whose own picker has this model; None where there is no such model, or the sidebar
    has it."""
    if name not in bundled_names() and not state.is_run(name):
        return None
    opens = page_for(architecture_of(name))
    return opens if opens and opens.picker else None


def leads_to(name: str, opens: Opens) -> None:
    """Go to the page that opens a model of its own picker; for a button's on_click."""
    st.session_state["arrive with"] = {opens.picker: name}
    st.session_state["go to"] = opens.page


def reads_its_own_models(page: str) -> bool:
    """Whether a page, by its place in the URL, leaves the sidebar's model and prompt unread."""
    if page == "attention":
        of = st.session_state.get("of", st.query_params.get("of", ""))
        return of in OF_TWO_TEXTS or of in OF_TWO_TEXTS.values()  # a link has either
    return page in OWN_MODELS
