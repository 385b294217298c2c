"""A prompt that suits a model: what it was trained on, if that is known."""

import streamlit as st

import tfs
from pages._ui import state
from tfs.tokenizers import IntegerTokenizer
from tfs.train.checkpoint import bundled_names
from tfs.train.guesses import probe
from tfs.train.recipe import read_recipe

EXAMPLES = {
    "mirror": "41 7 93 28 60 15 82 3 3 82 15 60",
    "induction": "0 17 5 99 142 63 211 30 8 77 17 5 99 142 63 211 30 8 77 17 5 99",
    "text": "First Citizen: Speak, speak. Second Citizen: You are all resolved rather to",
}


def example_of(name: str) -> str:
    """A prompt for the model `name`. Raises CheckpointError if that cannot be opened."""
    opened = state.open_model(name)
    return _example_of(name, opened.fingerprint, opened.bundle)


@st.cache_data(show_spinner=False, max_entries=256)
def _example_of(name: str, fingerprint: str, _bundle: tfs.Bundle) -> str:
    known = EXAMPLES[_usual(_bundle)]
    asked = _of_its_task(name, _bundle)
    shortest = " ".join(map(str, range(min(3, _bundle.tokenizer.d_vocab))))
    is_ours = name in bundled_names()
    wanted = [known, asked] if is_ours or reads_text(_bundle) else [asked, known]
    return next((text for text in [*wanted, shortest] if fits(_bundle, text)), known)


def _usual(bundle: tfs.Bundle) -> str:
    if not isinstance(bundle.tokenizer, IntegerTokenizer):
        return "text"
    return "mirror" if bundle.tokenizer.d_vocab <= 100 else "induction"


def _of_its_task(name: str, bundle: tfs.Bundle) -> str:
    """One held-out sequence of what a run was trained on; nothing where that is not known."""
    directory = state.directory_of(name)
    try:
        task = read_recipe(directory).make_task(directory, bundle.tokenizer)
    except (ValueError, OSError):
        return ""
    return task.tokenizer.decode(list(probe(task)))


def reads_text(bundle: tfs.Bundle) -> bool:
    """Whether a sentence can be typed for it at all."""
    return fits(bundle, EXAMPLES["text"][:8])


def fits(bundle: tfs.Bundle, text: str) -> bool:
    """Whether the model can read this text, all of it."""
    try:
        return 0 < len(bundle.tokenizer.encode(text)) <= bundle.model.cfg.n_ctx
    except ValueError:
        return False


def is_example(text: str, name: str | None) -> bool:
    """Whether a prompt is one of ours, and none that the reader typed."""
    if text in EXAMPLES.values():
        return True
    try:
        return name is not None and text == example_of(name)
    except tfs.CheckpointError:
        return False
