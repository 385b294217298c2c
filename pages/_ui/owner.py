"""Whose runs these are: the one place that says so."""

import secrets

import streamlit as st


def owner() -> str:
    """This session's own random key. The library of runs stores a hash of it only."""
    return st.session_state.setdefault("owner", secrets.token_hex(16))
