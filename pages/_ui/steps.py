"""Steps that build on each other: back, forward, the arrow keys, or straight to one of them.

The choice stands in the URL. The buttons count in the browser and send a place, not a direction, so
that presses faster than the page are not lost.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._ui.components import component

TURNS = '<div class="turns"></div><div class="status" aria-live="polite"></div>'
BACK = {"name": "← Back", "by": -1, "key": "ArrowLeft"}
FORWARD = {"name": "Forward →", "by": 1, "key": "ArrowRight"}

_turns = component("turns", TURNS)


def stepper(names: Sequence[str], *, key: str, label: str) -> str:
    """The named step on screen, kept in the URL. One to a page: it owns the arrow keys."""
    turned, linked = _turned(key), st.query_params.get(key, "")
    if turned is None and key not in st.session_state and linked.isdecimal():
        turned = int(linked) - 1  # a link written by hand
    if turned is not None:
        st.session_state[key] = names[min(max(turned, 0), len(names) - 1)]
    chosen = st.segmented_control(
        label, names, default=names[0], required=True, key=key, bind="query-params"
    )
    place = names.index(chosen) if chosen in names else 0
    turns(place, len(names) - 1, [BACK, FORWARD], key=key, name=label, first=1)
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
    jumps: Sequence[dict[str, Any]] = ({"name": "Start again", "to": 0},),
) -> int:
    """A whole number from 0 to `last` as a slider, kept in the URL. One to a page, as a stepper.

    It begins at `start`. Where the page has become shorter than what was chosen, it is `last`. With
    nothing to count there is no widget, and it is 0. jumps: more buttons, as for `turns`.
    """
    if last < 1:
        return 0
    turned = _turned(key)
    if turned is not None:
        st.session_state[key] = turned
    if (st.session_state.get(key) or 0) > last:
        st.session_state[key] = last
    at = st.slider(label, 0, last, start, key=key, bind="query-params")
    buttons = [BACK | {"name": f"← {back}"}, FORWARD | {"name": f"{forward} →"}, *jumps]
    turns(at, last, buttons, key=key, name=name)
    return at


def turns(
    place: int, last: int, buttons: Sequence[dict[str, Any]], *, key: str, name: str, first: int = 0
) -> None:
    """Buttons that go from `place` to another one, 0 to `last`; the next run finds it under `key`.

    A button has a name, and where it goes: `by` so many places, `to` one of them, or to the next
    whole `row` of so many; with `key`, a key of the keyboard does the same. name and first: what a
    place is called, and the number of the first.
    """
    _turns(
        key=f"{key} turns",
        data={
            "place": place,
            "last": last,
            "press": st.session_state.get(f"{key} press", 0),
            "buttons": list(buttons),
            "beside": f"st-key-{key}",
            "name": name,
            "first": first,
        },
        on_at_change=lambda: None,
    )


def _turned(key: str) -> int | None:
    """The place that a press has asked for since the last run, or None."""
    at = (st.session_state.get(f"{key} turns") or {}).get("at")
    if not at or at["press"] == st.session_state.get(f"{key} press", 0):
        return None
    st.session_state[f"{key} press"] = at["press"]
    return max(int(at["place"]), 0)
