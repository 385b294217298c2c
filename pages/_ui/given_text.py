"""A text to learn from: this project's own prose, Tiny Shakespeare, or one of the reader's own."""

from typing import NamedTuple

import streamlit as st

from pages._ui.layout import literal
from tfs.tasks.corpus import own_prose, tiny_shakespeare

PROSE, SHAKESPEARE, OWN = SOURCES = ("This project's prose", "Tiny Shakespeare", "Your own")
CORPORA = {PROSE: own_prose, SHAKESPEARE: tiny_shakespeare}
LARGEST = 2**20  # bytes
MOST_PASTED = 20_000  # characters


class Given(NamedTuple):
    """A text, what it is called, and lines of a program that set `given` to it."""

    name: str
    text: str
    program: str


def given_text(key: str) -> Given | None:
    """The text that the reader chooses; None, with a sentence on the page, while there is none."""
    source = st.segmented_control(
        "To learn from",
        SOURCES,
        default=PROSE,
        required=True,
        key=f"{key} source",
        bind="query-params",
    )
    try:
        if source in CORPORA:
            corpus = CORPORA[source]
            told = f"from {corpus.__module__} import {corpus.__name__}\n\ngiven = "
            return Given(source, _corpus(source), f"{told}{corpus.__name__}()")
        given = _own(key)
    except (ValueError, OSError) as error:
        st.error(literal(str(error)))
        return None
    if given is None:
        st.info("Paste a text, or choose a file: the longer it is, the more there is to learn.")
    return given


@st.cache_data(show_spinner="Reading …", max_entries=2)
def _corpus(source: str) -> str:
    return CORPORA[source]()


def _own(key: str) -> Given | None:
    """A file counts more than what is pasted. Raises ValueError for what cannot be read."""
    left, right = st.columns(2)
    box, kept = f"{key} file", f"{key} uploaded"
    left.file_uploader(
        "A UTF-8 text file",
        type=["txt", "md"],
        max_upload_size=LARGEST // 2**20,
        key=box,
        on_change=lambda: st.session_state.update({kept: st.session_state[box]}),
    )
    pasted = right.text_area(
        "Or a text, pasted",
        key=f"{key} pasted",
        height=120,
        persist_state="session",
    )
    if (file := st.session_state.get(kept)) is None:
        if len(pasted) > MOST_PASTED:
            raise ValueError(
                f"the pasted text has {len(pasted):,} characters, more than the {MOST_PASTED:,} "
                "that are read from this box; save it as a file, and choose that"
            )
        given = Given("the pasted text", pasted, f"given = {pasted!r}")
        return given if pasted.strip() else None
    if file.size > LARGEST:
        raise ValueError(
            f"{file.name} has {file.size / 2**20:.1f} MiB, more than the {LARGEST // 2**20} MiB "
            "that are read here; cut it"
        )
    try:
        text = file.getvalue().decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file.name} is not UTF-8 text (byte {error.start} cannot be decoded); save it as "
            "UTF-8"
        ) from None
    if not text.strip():
        raise ValueError(f"{file.name} holds no text; give a file with something to read")
    read = f"given = Path({file.name!r}).read_text()  # where you have it"
    return Given(file.name, text, f"from pathlib import Path\n\n{read}")
