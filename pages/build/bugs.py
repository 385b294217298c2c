"""Classic bugs: one wrong line at a time, what it does to a live model, and how to find it."""

import streamlit as st

from pages._ui.bug_case import blind_diagnosis
from pages._ui.bug_views import (
    BY_NAME,
    FORMS,
    introduce,
    say_floor,
    show_reading,
    two_forms,
    verdict,
)
from pages._ui.layout import prose

st.title("Classic bugs")
prose("bugs")

if st.toggle("Blind: find a hidden bug by its symptoms", key="blind", bind="query-params"):
    st.subheader("Blind diagnosis")
    blind_diagnosis()
    st.stop()

bug = BY_NAME[st.selectbox("Bug", list(BY_NAME), key="bug", bind="query-params")]
st.subheader(bug.name)
st.markdown(bug.story)
two_forms(bug)

st.subheader("On a live model")
form = st.segmented_control(
    "The model has the form that is",
    FORMS,
    default=FORMS[0],
    required=True,
    key="form",
    bind="query-params",
)
verdict(bug, form)
introduce(bug.reading)
show_reading(bug, form, bug.reading, key="symptom")
st.caption("Both forms are drawn on one and the same axis, so that switching shows the difference.")
say_floor(bug.reading)
