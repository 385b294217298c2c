"""Which models read the same tokens, so that they can be asked the same."""

from collections.abc import Iterator, Sequence

import streamlit as st

import tfs
from pages._ui import state
from pages._ui.controls import model_names, show_model


def usual_other(bundle: tfs.Bundle, others: Sequence[str]) -> str:
    """The first of `others` that reads what a model reads; without one, the first of them."""
    return next(alike(bundle, others), others[0])


def alike(bundle: tfs.Bundle, others: Sequence[str]) -> Iterator[str]:
    """Those of `others` with the same vocabulary; one that cannot be opened is passed over."""
    for name in others:
        try:
            other = state.open_model(name).bundle
        except tfs.CheckpointError:
            continue
        if same_vocabulary(bundle, other):
            yield name


def same_vocabulary(one: tfs.Bundle, other: tfs.Bundle) -> bool:
    """Whether every id is the same token to both, and both expect as many."""
    known, also = one.tokenizer, other.tokenizer
    sizes = {(type(b.tokenizer), b.tokenizer.d_vocab, b.model.cfg.d_vocab) for b in (one, other)}
    ids = range(known.d_vocab)
    return len(sizes) == 1 and (known is also or known.str_tokens(ids) == also.str_tokens(ids))


def offer_two_alike() -> None:
    """A button for the first two models here that read the same tokens."""
    names = model_names()
    for number, name in enumerate(names):
        try:
            bundle = state.open_model(name).bundle
        except tfs.CheckpointError:
            continue
        for other in alike(bundle, names[number + 1 :]):
            st.button(
                f"Put {name} beside {other}, which read the same tokens",
                icon=":material/compare:",
                on_click=_show,
                args=(name, other),
            )
            return


def _show(name: str, other: str) -> None:
    show_model(name)
    st.session_state["other"] = other
