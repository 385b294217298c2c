"""Word vectors: a plane forms step by step, and then answers analogies."""

from functools import partial

import streamlit as st

from pages._ui import in_slices
from pages._ui.given_text import given_text
from pages._ui.layout import counted, prose
from pages._ui.training import say_why_not
from pages._ui.word_learning import ANY, GRAMMAR, TEXTS, Made, WordLearner, learned
from pages._ui.word_views import show, show_now
from tfs.numpy_engine.by_hand.analogy_text import FAMILIES
from tfs.numpy_engine.by_hand.word_vectors import METHODS, words_in

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
given = given_text("words") if text == ANY else None
if text == ANY and given is None:
    st.stop()
made = Made(text, method, seed, given)
live = in_slices.buttons(
    "words",
    made,
    partial(WordLearner, made),
    label="Train it here, from the start",
    instead="" if text == ANY else "Show it learned",
)
say_why_not()
if live is None and given is not None:
    words = words_in(given.text)
    st.caption(f"It has {counted(len(words), 'word')}, {len({*words}):,} of them different.")
    st.stop()

st.subheader("The plane as it forms")
family = ""
if text == GRAMMAR:
    names = [each.name for each in FAMILIES]
    family = st.selectbox("Relation", names, key="relation", bind="query-params")
if live is not None and not live.is_over:
    in_slices.watch(live, lambda: show_now(live.learner.now(), made, family))
    st.stop()
known = learned(made) if live is None else live.learner.learned()
step = known.steps[-1]
if len(known.steps) > 1:
    step = st.select_slider(
        "Step of the training", known.steps, step, key=f"kept of {text}", bind="query-params"
    )
show(known, known.steps.index(step), made, family)
