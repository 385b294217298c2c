"""Side by side: any two models or runs in one view, linked by place and by training step."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.in_view import measured_width
from pages._ui.layout import prose
from pages._ui.side_by_side import (
    ask_who_expects_it,
    differences,
    pick_other,
    pick_places,
)
from pages._ui.side_views import pick_view

with st.container(gap=None):
    st.title("Side by side")
    width = measured_width()
prose("compare")
pair = pick_other(current_view())
if ask_who_expects_it(pair):
    view = pick_view(pair)
    view.draw(pair, pick_places(pair, width, view.has_places))
st.subheader("What differs between the two")
differences(pair)
