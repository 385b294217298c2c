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
        _turn("Back", BACK, key, names[place - 1] if place else None)
    with forward:
        _turn("Forward", FORWARD, key, names[place + 1] if place + 1 < len(names) else None)
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
        _turn(back, BACK, key, at - 1 if at else None)
        _turn(forward, FORWARD, key, at + 1 if at < last else None)
        st.button(
            "Start again",
            key=f"{key} again",
            icon=":material/restart_alt:",
            disabled=not at,
            on_click=_go,
            args=(key, 0),
        )
    return at


def _turn(label: str, side: Side, key: str, to: Any) -> None:
    """A button that leads to `to`; where that is None, there is nothing on this side."""
    st.button(
        label,
        key=f"{key} {side.name}",
        icon=side.icon,
        shortcut=side.shortcut,
        disabled=to is None,
        on_click=_go,
        args=(key, to),
    )


def _go(key: str, to: Any) -> None:
    st.session_state[key] = to
