"""The lab's form: the options of a recipe's task, and a text or a file of pairs of the reader's."""

import re
from typing import Any, NamedTuple

import streamlit as st

from pages._ui.lab_model import kept_by
from pages._ui.layout import literal
from tfs.tasks import parallel, task_options
from tfs.tasks.named import CORPORA, TOKENIZERS
from tfs.train.branch import TEXT_FILE
from tfs.train.recipe import Recipe

OWN_TEXT = "my own text"
LARGEST_TEXT = 8 * 2**20  # bytes
ABOUT_OPTIONS = {
    "d_vocab": "Symbols in the vocabulary",
    "n_ctx": "Length of a sequence, in tokens",
    "shortest": "Shortest block",
    "longest": "Longest block",
    "symbols": "Symbols to draw from",
    "length": "Length",
    "whole": "The question counts in the loss, too",
    "distinct": "All symbols differ",
    "digits": "Digits",
    "reversed": "The ones of the sum first",
    "p": "Modulus p",
    "train_fraction": "Share of pairs to learn from",
    "split_seed": "Seed of the split",
    "kinds": "Kinds of brackets",
    "start_token": "A start token",
    "corpus": "Text",
    "tokenizer": "Tokens",
}
ABOUT_PAIRS = {"d_vocab": "Most tokens in the vocabulary", "n_ctx": "Longest text, in tokens"}


class OwnText(NamedTuple):
    """A reader's file: what it is called, and what it holds."""

    name: str
    text: str


def task_fields(base: Recipe) -> tuple[dict[str, Any], OwnText | None]:
    """A widget for each option of the task, and the reader's file where the task reads it.

    Such an option is TEXT_FILE, also before the reader has chosen a file. Raises ValueError for one
    that is too large, empty or not UTF-8.
    """
    usual = {**task_options(base.task), **base.task_options}
    if not usual:
        return {}, None
    st.markdown(f"**Task**: {literal(base.task)}")
    reads_pairs = usual.pop("path", None) is not None
    own = _pairs(base) if reads_pairs else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = {option: _widget(base, option, value) for option, value in usual.items()}
    if reads_pairs:
        chosen["path"] = TEXT_FILE
    if chosen.get("corpus") == OWN_TEXT:
        own = _uploaded(base, "A UTF-8 text file", ["txt", "md"])
        chosen["corpus"] = TEXT_FILE
    return chosen, own


def _widget(base: Recipe, option: str, value: Any) -> Any:
    label, kept = _labels(base).get(option, option), kept_by(base)(option)
    if option == "corpus":
        return st.selectbox(label, [*CORPORA, OWN_TEXT], [*CORPORA].index(value), **kept)
    if option == "tokenizer":
        offered = parallel.TOKENIZERS if base.task == "parallel" else TOKENIZERS
        return st.selectbox(label, offered, offered.index(value), **kept)
    if isinstance(value, bool):
        return st.toggle(label, value, **kept)
    if isinstance(value, int):
        return int(st.number_input(label, 0, 100_000, value, **kept, width=160))
    return st.slider(label, 0.05, 0.95, float(value), 0.05, **kept, width=220)


def _labels(base: Recipe) -> dict[str, str]:
    return ABOUT_OPTIONS | (ABOUT_PAIRS if base.task == "parallel" else {})


def _pairs(base: Recipe) -> OwnText | None:
    st.caption(
        "A pair on each line: the text to read, a tab, the text to write. At least "
        f"{parallel.FEWEST} different texts to read, and at most {parallel.MOST:,} pairs; a tenth "
        "of what is read is held out."
    )
    return _uploaded(base, "A UTF-8 file of pairs", ["tsv", "txt"])


def _uploaded(base: Recipe, label: str, kinds: list[str]) -> OwnText | None:
    """The reader's file. Raises ValueError for what is too large, or is not UTF-8."""
    file = st.file_uploader(label, type=kinds, key=f"text of {base.name}")
    if file is None:
        return None
    if file.size > LARGEST_TEXT:
        raise ValueError(
            f"{file.name} has {file.size / 2**20:.1f} MiB, more than the {LARGEST_TEXT // 2**20} "
            "MiB that are read here; cut it, or train on it from the command line"
        )
    if not file.size:
        raise ValueError(f"{file.name} holds no text; give a file with something to read")
    try:
        return OwnText(file.name, file.getvalue().decode())
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file.name} is not UTF-8 text (byte {error.start} cannot be decoded); save it as "
            "UTF-8"
        ) from None


def in_words(error: str, base: Recipe, own: OwnText | None) -> str:
    """An error with the form's labels beside the names that code has for them, and the reader's
    file by its own name."""
    for option, label in _labels(base).items():
        if "_" in option:
            error = re.sub(rf"\b{option}\b", lambda _, o=option, of=label: f"“{of}” ({o})", error)
    return error if own is None else error.replace(TEXT_FILE, own.name)
