"""Numpy transformer: a Transformer without torch learns here, and every head forms in view."""

from functools import partial

import streamlit as st

from pages._ui import in_slices
from pages._ui.layout import literal, prose, sentence
from pages._ui.numpy_lessons import LESSONS, Pupil
from pages._ui.numpy_runs import open_elsewhere
from pages._ui.numpy_views import pictures
from pages._ui.training import say_why_not

st.title("Numpy transformer")
prose("numpy_transformer")
left, right = st.columns(2)
task = left.segmented_control(
    "Task", list(LESSONS), default="mirror", required=True, key="numpy task", bind="query-params"
)
seed = right.number_input("Seed", 0, 9999, 0, key="numpy seed", bind="query-params")
lesson = LESSONS[task](seed)
if lesson is None:
    st.stop()
if in_slices.on_screen("numpy", lesson.key) is None:
    try:
        untrained = Pupil(lesson)
    except ValueError as error:
        st.error(literal(sentence(error)))
        st.stop()
live = in_slices.buttons("numpy", lesson.key, partial(Pupil, lesson))
say_why_not()
if live is None:
    pictures(untrained, None)
    st.stop()
st.caption("It lives in this page: a reload forgets it, unless it was opened on the other pages.")
open_elsewhere(live)
in_slices.watch(live, partial(pictures, live.learner, live))
