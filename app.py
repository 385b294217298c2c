"""Every page, by section: the theme, the navigation, and nothing else."""

import streamlit as st

from pages._ui import frame, process

st.set_page_config(
    page_title="A Transformer you can open", page_icon="assets/images/icon.png", layout="wide"
)
process.prepare_process()
misled = process.is_taken_for_older_kind()
SECTIONS = {
    "Start": [st.Page("pages/start/home.py", title="Home", icon=":material/home:", default=True)],
    "Read": [
        st.Page("pages/read/tokens.py", title="Tokens", icon=":material/text_fields:"),
        st.Page("pages/read/embeddings.py", title="Embeddings", icon=":material/scatter_plot:"),
        st.Page("pages/read/positions.py", title="Positions", icon=":material/pin:"),
        st.Page("pages/read/masks.py", title="Masks", icon=":material/grid_on:"),
        st.Page("pages/read/attention.py", title="Attention", icon=":material/visibility:"),
        st.Page("pages/read/block.py", title="The block", icon=":material/stacks:"),
        st.Page("pages/read/output.py", title="Output", icon=":material/output:"),
        st.Page("pages/read/translation.py", title="Two texts", icon=":material/translate:"),
        st.Page("pages/read/architectures.py", title="Architectures", icon=":material/schema:"),
        st.Page("pages/read/both_ways.py", title="Both ways", icon=":material/sync_alt:"),
    ],
    "Train": [
        st.Page("pages/train/live.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/train/runs.py", title="Runs", icon=":material/list:"),
        st.Page("pages/train/experiments.py", title="Experiments", icon=":material/science:"),
        st.Page("pages/train/compare.py", title="Side by side", icon=":material/compare:"),
        st.Page("pages/train/formed.py", title="How it formed", icon=":material/timeline:"),
    ],
    "Inspect": [
        st.Page("pages/inspect/lens.py", title="Logit lens", icon=":material/biotech:"),
    ],
    "Build": [
        st.Page("pages/build/arithmetic.py", title="Arithmetic", icon=":material/calculate:"),
        st.Page("pages/build/bugs.py", title="Classic bugs", icon=":material/bug_report:"),
    ],
    "From numpy up": [
        st.Page("pages/numpy_up/autograd.py", title="Autograd", icon=":material/account_tree:"),
        st.Page("pages/numpy_up/layers.py", title="Layers by hand", icon=":material/layers:"),
        st.Page("pages/numpy_up/digits.py", title="Digits", icon=":material/draw:"),
        st.Page("pages/numpy_up/word_vectors.py", title="Word vectors", icon=":material/hub:"),
        st.Page(
            "pages/numpy_up/numpy_transformer.py",
            title="Numpy transformer",
            icon=":material/memory:",
        ),
        st.Page("pages/numpy_up/engines.py", title="Three engines", icon=":material/join_inner:"),
    ],
}
frame.around(st.navigation(SECTIONS, expanded=True), SECTIONS, misled)
