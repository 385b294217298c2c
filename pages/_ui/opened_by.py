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
from tfs.train.checkpoint import read_config


class Opens(NamedTuple):
    """A page by its place in the URL, what a button that leads there says, and the key of the
    picker that is to name the run; "" for the sidebar's."""

    page: str
    label: str
    picker: str = ""


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
