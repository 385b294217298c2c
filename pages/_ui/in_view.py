"""Which positions of a long prompt stand side by side: how many, and which is the first."""

import streamlit as st

from pages._ui.components import WIDE, page_width

ROOMS, ROOM = (6, 12, 24), 12  # positions side by side: for a narrow screen, usual, for a wide one
NARROW = 480  # pixels


def measured_width() -> int:
    """Pixels that the page is wide; a narrow one begins with few positions side by side."""
    return page_width(_fewer_where_narrow)


def _fewer_where_narrow() -> None:
    """Once: what the reader chooses afterwards stays, also where it is the usual one."""
    width = st.session_state["page width"].get("width", WIDE)
    if width < NARROW and not st.session_state.get("room was fitted"):
        st.session_state["room was fitted"] = True
        if "room" not in st.query_params:
            st.session_state["room"] = ROOMS[0]


def positions_in_view(pos: int, locked: int | None) -> range:
    """The last positions of the prompt, or those around a locked token; the reader may move on."""
    room = ROOM
    if pos > ROOMS[0]:
        room = st.segmented_control(
            "Positions side by side",
            ROOMS,
            default=ROOM,
            required=True,
            key="room",
            bind="query-params",
        )
        room = room if room in ROOMS else ROOM
    if pos <= room:
        return range(pos)
    first = _pick_first(pos - room, room, locked)
    st.caption(f"{room} of the {pos} positions find room side by side; the slider moves along.")
    return range(first, first + room)


def _pick_first(end: int, room: int, locked: int | None) -> int:
    """A view of the end stays one when prompt or room change; a token just locked comes into view.

    A slider with another range is another widget to Streamlit, so the value is handed on to it.
    """
    usual = end if locked is None else min(max(locked - room // 2, 0), end)
    old_end, old_lock = st.session_state.get("in view", (end, locked))
    st.session_state["in view"] = (end, locked)
    if (first := st.session_state.get("from")) is not None:
        first = end if first == old_end else min(first, end)
        if locked not in (None, old_lock) and locked not in range(first, first + room):
            first = usual
        st.session_state["from"] = first
    return st.slider("Show from position", 0, end, usual, key="from", bind="query-params")
