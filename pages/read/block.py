"""Block."""

import streamlit as st

from pages._ui.controls import current_view

st.title("Block")
view = current_view()
