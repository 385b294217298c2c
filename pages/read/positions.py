"""Positions."""

import streamlit as st

from pages._ui.controls import current_view

st.title("Positions")
view = current_view()
