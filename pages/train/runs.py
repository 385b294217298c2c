"""Runs: what was trained in this browser, to be opened, renamed, taken along or thrown away."""

import streamlit as st

from pages._ui import state
from pages._ui.layout import literal, prose
from pages._ui.owner import owner
from pages._ui.run_list import bring_in, chosen_run, listed, summary
from pages._ui.training import say_why_not

st.title("Runs")
prose("runs")
say_why_not()
entries = state.run_library().entries(owner())
summary(entries)
if entries:
    listed(entries)
    chosen_run(entries)
else:
    st.info(
        "Nothing was trained in this browser yet: start a run on the page Train, or bring one in "
        "below. Whoever has the link of a run can open it as well."
    )
bring_in()
if rejected := st.session_state.pop("rejected", None):
    st.error(literal(rejected))
