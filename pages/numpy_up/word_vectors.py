"""Word vectors: a plane forms step by step, and then answers analogies."""

import streamlit as st

from pages._ui.layout import prose
from pages._ui.word_views import (
    FOUR,
    TEXTS,
    learned,
    say_how_parallel,
    show_analogy,
    show_neighbours,
    show_plane,
)
from tfs.numpy_engine.by_hand.analogy_text import FAMILIES
from tfs.numpy_engine.by_hand.word_vectors import METHODS

st.title("Word vectors")
prose("word_vectors")
text = st.segmented_control(
    "Text", TEXTS, default=TEXTS[0], required=True, key="words of", bind="query-params"
)
left, right = st.columns(2)
method = left.segmented_control(
    "Method", METHODS, default=METHODS[0], required=True, key="method", bind="query-params"
)
seed = right.number_input("Seed", 0, 9999, 0, key="words seed", bind="query-params")
known = learned(text, method, seed)

st.subheader("The plane as it forms")
family = ""
if text != FOUR:
    names = [each.name for each in FAMILIES]
    family = st.selectbox("Relation", names, key="relation", bind="query-params")
step = st.select_slider(
    "Step of the training", known.steps, known.steps[-1], key=f"kept of {text}", bind="query-params"
)
at = known.steps.index(step)
made = {"text": text, "method": method, "seed": seed, "step": step}
show_plane(known, at, family, made)
vectors = known.vectors[at]
if text == FOUR:
    say_how_parallel(vectors, known)
    st.stop()

st.subheader("Who is to whom")
show_analogy(known, vectors, made)
st.subheader("Nearest neighbours")
show_neighbours(known, vectors, made)
