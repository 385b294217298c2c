"""Output."""

import streamlit as st

from pages._ui.controls import current_view

st.title("Output")
view = current_view()
