"""Steps that build on each other: back, forward, the arrow keys, or straight to one of them.

The choice stands in the URL. The buttons count in the browser and send a place, not a direction, so
that presses faster than the page are not lost.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._ui import kept
from pages._ui.components import component

TURNS = '<div class="turns"></div><div class="status" aria-live="polite"></div>'
BACK = {"name": "← Back", "by": -1, "key": "ArrowLeft"}
FORWARD = {"name": "Forward →", "by": 1, "key": "ArrowRight"}
PLAY = {"name": "Play", "by": 1, "every": 700}  # milliseconds

_turns = component("turns", TURNS)


def stepper(names: Sequence[str], *, key: str, label: str) -> str:
    """The named step on screen, kept in the URL. One to a page: it owns the arrow keys."""
    linked = st.query_params.get(key, "")
    if key not in st.session_state and linked.isdecimal():  # a link written by hand
        kept.say({key: names[min(max(int(linked), 1), len(names)) - 1]})
    chosen = st.segmented_control(
        label, names, default=names[0], required=True, key=key, bind="query-params"
    )
    place = names.index(chosen) if chosen in names else 0
    _turn_to(names, place, [BACK, FORWARD], key=key, name=label, first=1)
    return names[place]


def counter(
    last: int,
    *,
    key: str,
    label: str,
    name: str,
    back: str = "Back",
    forward: str = "Forward",
    start: int = 0,
    first: int = 0,
    jumps: Sequence[dict[str, Any]] = ({"name": "Start again", "to": 0},),
) -> int:
    """A whole number from `first` to `last` as a slider, kept in the URL. One to a page, as a
    stepper.

    It begins at `start`. Where the page has become shorter than what was chosen, it is `last`. With
    nothing to count there is no widget, and it is `first`. jumps: more buttons, as for `_turn_to`.
    """
    if last <= first:
        return first
    if (st.session_state.get(key) or first) > last:
        st.session_state[key] = last
    at = st.slider(label, first, last, start, key=key, bind="query-params")
    buttons = [BACK | {"name": f"← {back}"}, FORWARD | {"name": f"{forward} →"}, *jumps]
    _turn_to(range(first, last + 1), at - first, buttons, key=key, name=name, first=first)
    return at


def _turn_to(
    choices: Sequence[Any],
    place: int,
    buttons: Sequence[dict[str, Any]],
    *,
    key: str,
    name: str,
    first: int = 0,
) -> None:
    """Buttons that go from one of the choices, the one at `place`, to another one.

    A button has a name, and where it goes: `by` so many places, `to` one of them, or to the next
    whole `row` of so many; with `key`, a key of the keyboard does the same. One with `every` goes
    on by itself, a place every so many milliseconds, and is a pause meanwhile. name and first: what
    a place is called, and the number of the first.
    """
    pressed = f"{key} press"
    _turns(
        key=f"{key} turns",
        data={
            "place": place,
            "last": len(choices) - 1,
            "press": st.session_state.get(pressed, 0),
            "buttons": list(buttons),
            "beside": f"st-key-{key}",
            "name": name,
            "first": first,
        },
        on_at_change=lambda: _turn(choices, key, pressed),
    )


def _turn(choices: Sequence[Any], key: str, pressed: str) -> None:
    """Before the page is drawn, so that all of it, a tour's banner too, knows of the new place."""
    at = st.session_state[f"{key} turns"]["at"]
    st.session_state[key] = choices[min(max(int(at["place"]), 0), len(choices) - 1)]
    st.session_state[pressed] = at["press"]
