"""Parts of a page that are drawn anew, or that end, on their own, without the rest of the page."""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import NoReturn, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Shown = TypeVar("Shown")
ends_alone = ContextVar("ends_alone", default=False)


class Ended(Exception):
    """A place of the page cannot go on, and has said why."""


def part(function: Callable[..., None]) -> Callable[..., None]:
    """A fragment; but while a tour is on, its banner waits for what widgets say, so all is redrawn.

    What a part's widgets choose may be used in that part only.
    """
    alone = st.fragment(function)

    @functools.wraps(function)
    def draw(*args: object) -> None:
        (function if st.session_state.get("tour") else alone)(*args)

    return draw


def ending_alone(show: Callable[[], Shown], place: DeltaGenerator) -> Shown | None:
    """What is shown in a place; None where it cannot go on, and the rest of the page does."""
    before = ends_alone.set(True)
    try:
        with place:
            return show()
    except Ended:
        return None
    finally:
        ends_alone.reset(before)


def end_here() -> NoReturn:
    """Nothing more, after a sentence that says why: in its place, where that ends alone, or at all.

    Streamlit's stop is of the whole page, and nobody can catch it.
    """
    if ends_alone.get():
        raise Ended
    st.stop()
