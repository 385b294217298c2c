"""What the reader chose stays chosen from page to page, after a reload, and by the browser's Back.

When the page changes, Streamlit drops from the URL whatever the page that is left has a widget for,
also where the new page has the same one; and it forgets what only a URL had said. So they are put
back before the new page makes its widgets. What it has no widget for waits in the URL.
"""

from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

EVERYWHERE = {"model", "prompt", "snapshot", "ask", "tour", "at"}  # not a page's own


def restore(page: str) -> None:
    """Before any widget is made, where the page is another one than before."""
    run = get_script_run_ctx()
    if run is None or st.session_state.get("page title") in (None, page):
        return
    asked = {name: values[-1] for name, values in parse_qs(run.query_string).items()}
    told = st.session_state.get("arrive with", {})  # a jump's or a tour's word counts more
    settled = {*EVERYWHERE, *told, *st.query_params}
    say({name: value for name, value in asked.items() if name not in settled})


def say(choices: dict[str, str]) -> None:
    """Into the URL, for widgets that are not made yet to take them from there."""
    run = get_script_run_ctx()
    if run is None or not choices:
        return
    with run.session_state.query_params() as params:
        params.populate_from_query_string(urlencode(st.query_params.to_dict() | choices))
        params.set_initial_query_params_from_current()
    for name, value in choices.items():
        st.query_params[name] = value  # this tells the browser


def box(
    label: str,
    places: range,
    *,
    named: Callable[[int], str],
    key: str,
    default: int = 0,
    width: int | Literal["stretch"] = "stretch",
) -> int:
    """A box of numbered things, kept in the URL.

    default: which of the places is chosen at first, counted from 0. The browser goes on showing the
    name that the chosen one had: where that is another one by now, since the text has changed, the
    box is set anew.
    """
    on_screen = st.session_state.setdefault("names on screen", {})
    chosen = st.session_state.get(key)
    was, name = on_screen.get(key, (None, ""))
    if chosen is not None and chosen == was and name != named(chosen):
        st.session_state[key] = chosen
    chosen = st.selectbox(
        label, places, default, format_func=named, key=key, bind="query-params", width=width
    )
    on_screen[key] = chosen, named(chosen)
    return chosen


def forget(name: str) -> None:
    """Out of the URL, so that a widget which is made anew does not take from there what it was."""
    run = get_script_run_ctx()
    if run is None:
        return
    with run.session_state.query_params() as params:
        params.remove_param(name)
        params.set_initial_query_params_from_current()
