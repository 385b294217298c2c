"""The frame around every page: theme, navigation, and what all pages share."""

import streamlit as st

from pages._ui import components, controls, jumps, kept, layout, predict, process, tour

st.set_page_config(
    page_title="A Transformer you can open", page_icon="assets/images/icon.png", layout="wide"
)
process.prepare_process()
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
        st.Page("pages/inspect/engines.py", title="Three engines", icon=":material/join_inner:"),
    ],
    "Build": [
        st.Page("pages/build/arithmetic.py", title="Arithmetic", icon=":material/calculate:"),
        st.Page("pages/build/bugs.py", title="Classic bugs", icon=":material/bug_report:"),
        st.Page("pages/build/autograd.py", title="Autograd", icon=":material/account_tree:"),
        st.Page("pages/build/layers.py", title="Layers by hand", icon=":material/layers:"),
        st.Page("pages/build/digits.py", title="Digits", icon=":material/draw:"),
        st.Page("pages/build/word_vectors.py", title="Word vectors", icon=":material/hub:"),
    ],
}
misled = process.is_taken_for_older_kind()
page = st.navigation(SECTIONS, expanded=True)
kept.restore(page.title)
tour.resume()
jumps.follow([known for section in SECTIONS.values() for known in section], page)
with st.sidebar:
    controls.shared_pickers()
    predict.ask_first()
    components.one_entry_per_page(tour.place(), misled=misled and page.url_path != "")
    layout.style()
st.session_state["page title"] = page.title
controls.say_if_link_is_dead(page.title)
tour.banner(page.url_path or "home")
page.run()
process.leave_what_it_brought(page.title)
