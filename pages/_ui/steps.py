"""Steps that build on each other: back, forward, the arrow keys, or straight to one of them."""

from collections.abc import Sequence

import streamlit as st


def stepper(names: Sequence[str], *, key: str, label: str) -> str:
    """The step on screen, kept in the URL. One stepper to a page: it owns the arrow keys."""
    at = st.session_state.get(key)
    place = names.index(at) if at in names else 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _turn("Back", place - 1, names, key, icon=":material/arrow_back:", shortcut="Left")
        chosen = st.segmented_control(
            label, names, default=names[0], required=True, key=key, bind="query-params"
        )
        _turn("Forward", place + 1, names, key, icon=":material/arrow_forward:", shortcut="Right")
    return chosen if chosen in names else names[0]


def _turn(label: str, to: int, names: Sequence[str], key: str, *, icon: str, shortcut: str) -> None:
    st.button(
        label,
        key=f"{key} {label}",
        icon=icon,
        shortcut=shortcut,
        disabled=not 0 <= to < len(names),
        on_click=_go,
        args=(key, names[to] if 0 <= to < len(names) else names[0]),
    )


def _go(key: str, name: str) -> None:
    st.session_state[key] = name
