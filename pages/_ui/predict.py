"""Predict, then reveal: a question before its answer, graded against the run on screen."""

import re
from collections.abc import Sequence

import streamlit as st

from pages._ui.layout import literal

BACKSLASH = re.compile(r"\\(.)")  # of Markdown, which a label for screen readers is not


def ask_first() -> None:
    """The sidebar's switch: hide what answers a question until the reader has answered it."""
    st.toggle(
        "Ask before showing",
        key="ask",
        bind="query-params",
        help="Each page asks a question on its key idea. With this on, the picture that answers it "
        "stays hidden until you have made a guess.",
    )


def predict(
    question: str,
    options: Sequence[str],
    answer: str | Sequence[str] | None,
    because: str,
    *,
    key: str,
) -> bool:
    """Ask; grade the guess; say why, in Markdown. Returns whether the answer may be shown.

    answer: the right option, or several of them where values tie, computed from the live run; None
    while it is not known. Where a change of model or prompt changes the answer alone, the guess is
    graded anew; where it changes the question, the reader is asked again.
    """
    if st.session_state.setdefault(f"{key} asked", question) != question:
        st.session_state[f"{key} asked"] = question
        st.session_state[key] = None
    right = [answer] if isinstance(answer, str) else list(answer or ())
    with st.container(border=True, key=f"{key} box"):
        st.markdown(f"**Predict.** {question}")
        guess = st.pills(
            BACKSLASH.sub(r"\1", question),
            options,
            key=key,
            label_visibility="collapsed",
            format_func=literal,
        )
        if guess is None:
            st.caption("Choose one; the run on screen grades it.")
        elif answer is None:
            st.caption(f"You said: {literal(guess)}. {because}")
        elif guess in right:
            st.success(f"Right. {because}", icon=":material/check:")
        else:
            said = " or ".join(literal(option) for option in right)
            st.info(f"Not this time: **{said}**. {because}", icon=":material/close:")
    return guess is not None or not st.session_state.get("ask")
