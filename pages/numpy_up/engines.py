"""Three engines: the same weights and the same prompt through torch, numpy and TransformerLens."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.engine_rows import (
    HOOKED,
    NUMPY,
    PRECISIONS,
    compared,
    hook_by_hook,
    say,
    where_it_grows,
)
from pages._ui.layout import prose

st.title("Three engines")
prose("engines")
view = current_view()
with st.container(horizontal=True, vertical_alignment="bottom"):
    precision = st.segmented_control(
        "Precision",
        list(PRECISIONS),
        default="float32",
        required=True,
        key="precision",
        bind="query-params",
    )
    beside = st.toggle(
        f"{HOOKED}, too",
        key="hooked",
        bind="query-params",
        help="The first time it takes a while and a few hundred megabytes to load the library.",
    )
found = compared(view, precision, (NUMPY, HOOKED) if beside else (NUMPY,))
if not found.apart:
    st.stop()
say(found)

st.subheader("Where the difference grows")
where_it_grows(view, found, precision)

st.subheader("Hook by hook")
hook_by_hook(found)
