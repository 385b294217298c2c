"""The frame around every page: theme, navigation, and the two things all pages share."""

import streamlit as st

from pages._ui.controls import say_if_link_is_dead, shared_pickers
from pages._ui.state import prepare_process

st.set_page_config(
    page_title="A Transformer you can open", page_icon="assets/images/icon.png", layout="wide"
)
prepare_process()

page = st.navigation(
    {
        "Start": [
            st.Page("pages/start/home.py", title="Home", icon=":material/home:", default=True),
        ],
        "Read": [
            st.Page("pages/read/embeddings.py", title="Embeddings", icon=":material/scatter_plot:"),
            st.Page("pages/read/masks.py", title="Masks", icon=":material/grid_on:"),
            st.Page("pages/read/attention.py", title="Attention", icon=":material/visibility:"),
        ],
        "Train": [
            st.Page("pages/train/live.py", title="Train", icon=":material/model_training:"),
        ],
        "Inspect": [
            st.Page("pages/inspect/lens.py", title="Logit lens", icon=":material/biotech:"),
        ],
        "Build": [
            st.Page("pages/build/arithmetic.py", title="Arithmetic", icon=":material/calculate:"),
        ],
    }
)
with st.sidebar:
    shared_pickers()
say_if_link_is_dead(page.title)
page.run()
