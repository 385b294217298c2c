"""What the reader chose stays chosen from page to page, after a reload, and by the browser's Back.

When the page changes, Streamlit drops from the URL whatever the page that is left has a widget for,
also where the new page has the same one; and it forgets what only a URL had said. So the choices
are put back before the new page makes its widgets, and those that it has no widget for wait.
"""

from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

EVERYWHERE = {"model", "prompt", "ask", "tour", "at"}  # not a page's own


def restore(page: str) -> None:
    """Before any widget is made, where the page is another one than before."""
    run = get_script_run_ctx()
    before, st.session_state["page before"] = st.session_state.get("page before"), page
    if run is None or before in (None, page):
        return
    asked = {name: values[-1] for name, values in parse_qs(run.query_string).items()}
    kept = {} if run.is_history_navigation else st.session_state.get("kept", {})
    told = st.session_state.get("arrive with", {})  # a jump's or a tour's word counts more
    wanted = {
        name: value
        for name, value in (kept | asked).items()
        if name not in EVERYWHERE and name not in told
    }
    say({name: value for name, value in wanted.items() if name not in st.query_params})


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


def keep() -> None:
    """After the page was drawn: remember its choices; those that it has no widget for wait."""
    run = get_script_run_ctx()
    if run is None:
        return
    own = {name: text for name, text in st.query_params.to_dict().items() if name not in EVERYWHERE}
    kept = st.session_state.setdefault("kept", {})
    with run.session_state.query_params() as params:
        bound = {name for name in own if params.is_bound(name)}
    for name in [name for name in kept if name in st.session_state]:
        del kept[name]  # its widget says itself what it is at, unless it is at its default
    kept |= own
    for name in own.keys() - bound:
        del st.query_params[name]
