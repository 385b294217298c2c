"""Tokens."""

import streamlit as st

from pages._ui.controls import current_view

st.title("Tokens")
view = current_view()
