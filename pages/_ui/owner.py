"""Whose runs these are: a random key that this browser keeps as a cookie."""

import re
import secrets

import streamlit as st

COOKIE = "tfs_owner"
KEY = re.compile(r"[0-9a-f]{32}")


def owner() -> str:
    """This browser's own random key; the library of runs stores a hash of it only.

    A browser that comes for the first time has no cookie yet: then it is this session's key, which
    the page's own script hands to the browser to keep (assets/components/history.js).
    """
    if "owner" not in st.session_state:
        brought = str(st.context.cookies.get(COOKIE, ""))  # AppTest has no browser to ask
        st.session_state["owner"] = brought if KEY.fullmatch(brought) else secrets.token_hex(16)
    return st.session_state["owner"]
