"""Parts of a page that are drawn anew, or that end, on their own, without the rest of the page."""

import functools
from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException

Shown = TypeVar("Shown")


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
    """What is shown in a place; None where it cannot go on: the rest of the page does.

    A picker that has nothing to go on with says so and ends the page. Here only its place ends.
    """
    with place:
        try:
            return show()
        except StopException:
            return None
