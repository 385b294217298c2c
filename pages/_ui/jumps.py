"""From a button, a tour or a part of the map to another page, with what its widgets shall say."""

import contextlib
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.navigation.page import StreamlitPage

from pages._ui.opened_by import PAGES

PLACES = {"layer", "head", "step"}
PICKERS = {opens.picker for opens in PAGES.values()} - {""}  # of models, on their own pages


def follow(pages: Sequence[StreamlitPage], page: StreamlitPage) -> None:
    """To the page that is wanted, if that is another one than the one on screen; and on the page
    that a jump led to, set what its widgets shall say."""
    wanted = wanted_page()
    for known in pages:
        if wanted == (known.url_path or "home") and known.title != page.title:
            leave_for(known)
    arrive()


def wanted_page() -> str | None:
    """Where a button, a tour or a part of the map leads, once: a page's place in the URL."""
    part = st.session_state.pop("jump", None)
    if part:
        st.session_state["go to"], st.session_state["arrive with"] = part.pop("page"), part
    return st.session_state.pop("go to", None)


def carrying(go: dict[str, Any] | None, *keys: str) -> dict[str, Any] | None:
    """Where a part leads, with what the widgets of these keys say here, for those of the same keys
    there."""
    told = {key: st.session_state[key] for key in keys if key in st.session_state}
    return go and told | go


def leave_for(page: StreamlitPage) -> None:
    """Change the page; what its widgets shall say goes along in the URL where it may: not what a
    widget of this page writes there itself, which arrive() alone then sets."""
    values = st.session_state.get("arrive with", {})
    for names in (PLACES | PICKERS, PLACES, set()):
        with contextlib.suppress(StreamlitAPIException):
            st.switch_page(page, query_params={k: str(values[k]) for k in names & set(values)})


def arrive() -> None:
    """On the page that a jump led to: set its widgets, in the run that makes them.

    What was set before the page changed would be lost, since a page that is entered takes what its
    widgets say from the URL.
    """
    for key, value in st.session_state.pop("arrive with", {}).items():
        st.session_state[key] = value
