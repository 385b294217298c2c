"""Steps that build on each other: back, forward, the arrow keys, or straight to one of them.

The choice stands in the URL and is read before the buttons are made: a link opens on its step, with
Back and Forward already where that step leads.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st


class Side(NamedTuple):
    """A direction, as a button shows it and as the keyboard knows it."""

    name: str
    icon: str
    shortcut: str


BACK = Side("Back", ":material/arrow_back:", "Left")
FORWARD = Side("Forward", ":material/arrow_forward:", "Right")


def stepper(names: Sequence[str], *, key: str, label: str) -> str:
    """The named step on screen, kept in the URL. One to a page: it owns the arrow keys."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        back, steps, forward = (st.container(width="content") for _ in range(3))
    chosen = steps.segmented_control(
        label, names, default=names[0], required=True, key=key, bind="query-params"
    )
    place = names.index(chosen) if chosen in names else 0
    with back:
        _turn("Back", BACK, key, -1, names, possible=place > 0)
    with forward:
        _turn("Forward", FORWARD, key, 1, names, possible=place + 1 < len(names))
    return names[place]


def counter(
    last: int, *, key: str, label: str, back: str = "Back", forward: str = "Forward"
) -> int:
    """A whole number from 0 to `last` as a slider, kept in the URL. One to a page, as a stepper.

    Where the page has become shorter than what was chosen, it is `last`. With nothing to count
    there is no widget, and it is 0.
    """
    if last < 1:
        return 0
    if (st.session_state.get(key) or 0) > last:
        st.session_state[key] = last
    at = st.slider(label, 0, last, key=key, bind="query-params")
    with st.container(horizontal=True):
        _turn(back, BACK, key, -1, range(last + 1), possible=at > 0)
        _turn(forward, FORWARD, key, 1, range(last + 1), possible=at < last)
        st.button(
            "Start again",
            key=f"{key} again",
            icon=":material/restart_alt:",
            disabled=not at,
            on_click=_go,
            args=(key, 0),
        )
    return at


def _turn(
    label: str, side: Side, key: str, by: int, values: Sequence[Any], *, possible: bool
) -> None:
    """A button that goes on `by` places, from wherever the reader is when the press arrives."""
    st.button(
        label,
        key=f"{key} {side.name}",
        icon=side.icon,
        shortcut=side.shortcut,
        disabled=not possible,
        on_click=_move,
        args=(key, by, values),
    )


def _move(key: str, by: int, values: Sequence[Any]) -> None:
    at = st.session_state.get(key)
    place = values.index(at) if at in values else 0
    st.session_state[key] = values[min(max(place + by, 0), len(values) - 1)]


def _go(key: str, to: Any) -> None:
    st.session_state[key] = to
