"""Parts of a page that are drawn anew on their own, without the rest of the page."""

import functools
from collections.abc import Callable

import streamlit as st


def part(function: Callable[..., None]) -> Callable[..., None]:
    """A fragment; but while a tour is on, its banner waits for what widgets say, so all is redrawn.

    What a part's widgets choose may be used in that part only.
    """
    alone = st.fragment(function)

    @functools.wraps(function)
    def draw(*args: object) -> None:
        (function if st.session_state.get("tour") else alone)(*args)

    return draw
