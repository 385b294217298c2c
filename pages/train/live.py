"""Train: a model from random weights to its floor, here and now."""

import streamlit as st

from pages._ui.controls import View
from pages._ui.formation import on_one_axis, patterns_over_training, scores_over_training
from pages._ui.lab_curves import curves, numbers
from pages._ui.lab_form import form
from pages._ui.lab_pictures import attention_as_it_forms
from pages._ui.lab_samples import samples
from pages._ui.layout import figure, prose
from pages._ui.process import warm_training
from pages._ui.steering import steering
from pages._ui.training import ask_where_it_ends, launch, price, run_on_screen, say_why_not
from pages._ui.watched import Watched, watched
from tfs.plots import lr_schedule
from tfs.train import lr_at

# What waits or rests changes little, and a look costs time of the server, for which others wait.
SECONDS_BETWEEN_LOOKS = {"running": 1.0, "running elsewhere": 1.0, "queued": 2.0, "paused": 3.0}
SECONDS_BETWEEN_PICTURES = {"running": 3.0, "running elsewhere": 3.0}
MOST_POINTS = 600

st.title("Train")


def before() -> None:
    """What to train, what it costs, and the learning rate that is to come."""
    prose("train")
    asked = form()
    if asked is None:
        st.stop()
    costs, button = st.container(), st.empty()
    button.button(  # before the costs are timed, or for so long it would start the form before
        "Train", icon=":material/play_arrow:", on_click=launch, args=(asked,), width="stretch"
    )
    with costs:
        why_not = price(asked)
    if why_not:
        button.empty()
        st.stop()
    st.subheader("The learning rate to come")
    config = asked.recipe.train
    steps = range(1, config.steps + 1, max(1, config.steps // MOST_POINTS))
    figure(
        lr_schedule(list(steps), [lr_at(step, config) for step in steps]),
        key="schedule",
        code=[lr_at],
    )
    with st.expander("The same from the command line", key="as a file"):
        st.caption("Save this as recipe.json, then: `python -m tfs train --config recipe.json`")
        st.json(asked.recipe.to_dict())
    warm_training()


def heads_as_they_form(view: View, steps: list[int]) -> None:
    """Of a model that goes on with one text: every head's pattern, and its scores."""
    st.subheader("Its heads, as they form")
    st.caption("On one sequence that it is not trained on, the same all the time.")
    patterns_over_training(view, steps)
    on_one_axis(view, steps, scores_over_training(view, steps))


def during(run: Watched) -> None:
    """Its numbers, its pictures, and the buttons that steer it, which are not drawn with them."""
    steering(run)
    ask_where_it_ends(run)

    @st.fragment(run_every=SECONDS_BETWEEN_LOOKS.get(run.entry.state))
    def look() -> None:
        if st.session_state.get("run") != run.name:  # asked for before the reader left it
            return
        now = watched(run.name)
        if now is None or (now.entry.state, now.opened() is None) != shown:
            st.rerun()
        numbers(now)
        curves(now)

    @st.fragment(run_every=SECONDS_BETWEEN_PICTURES.get(run.entry.state))
    def pictures() -> None:
        opened = run.opened()
        if opened is None or not (steps := opened.bundle.snapshots):
            return
        try:
            samples(run)
            if (view := run.view()) is None:
                attention_as_it_forms(run, steps)
            else:
                heads_as_they_form(view, steps)
        except ValueError:
            if set(steps) <= set(opened.bundle.snapshots):
                raise
            st.rerun()  # it was resumed meanwhile, and makes some steps anew

    shown = run.entry.state, run.opened() is None
    look()
    pictures()


say_why_not()
on_screen = run_on_screen()
if on_screen is None:
    before()
else:
    during(on_screen)
