"""Train: a model from random weights to its floor, here and now."""

import math

import streamlit as st

from pages._ui import state
from pages._ui.layout import figure, literal, prose
from pages._ui.training import (
    ask_to_open,
    ask_where_it_ends,
    configure,
    current_job,
    estimate,
    launch,
    say_if_run_is_lost,
)
from tfs.plots import loss_curve, lr_schedule
from tfs.train import lr_at
from tfs.train.loss import next_token_loss
from tfs.train.worker import Job

SECONDS_BETWEEN_LOOKS = 0.5
MOST_POINTS = 600

st.title("Train")
prose("train")


def controls() -> None:
    """Before a run: what to train, what it costs, and the learning rate that is to come."""
    recipe, cfg, config = configure()
    for column, (label, value) in zip(st.columns(4), estimate(recipe, cfg, config), strict=True):
        column.metric(label, value)
    st.button(
        "Train",
        icon=":material/play_arrow:",
        on_click=launch,
        args=(recipe, cfg, config),
        width="stretch",
    )
    st.subheader("The learning rate to come")
    steps = list(range(1, config.steps + 1))
    figure(
        lr_schedule(steps, [lr_at(step, config) for step in steps]),
        key="schedule",
        code=[lr_at],
    )


def progress(job: Job) -> None:
    """During and after a run: its curve, its numbers, and the buttons that steer it."""
    status, steps = job.status(), job.steps()
    if status.state == "queued" and status.place:
        st.info(f"Waiting for a free place: you are number {status.place} in the queue.")
    if status.state == "failed":
        st.error(f"The training stopped by itself. {literal(status.error)}")
    st.progress(
        status.step / job.config.steps, f"{status.state}: step {status.step} of {job.config.steps}"
    )
    if not steps:
        return
    evaluations = [(step.step, step.held_out) for step in steps if step.held_out]
    latest = evaluations[-1][1] if evaluations else None
    columns = st.columns(4)
    columns[0].metric("Training loss", f"{steps[-1].loss:.3f}")
    columns[1].metric("Held-out loss", f"{latest.loss:.3f}" if latest else "not yet")
    columns[2].metric("Answers right", f"{latest.accuracy:.1%}" if latest else "not yet")
    columns[3].metric("Tokens per second", f"{steps[-1].tokens_per_second:,.0f}")
    shown = steps[:: max(1, len(steps) // MOST_POINTS)]
    d_vocab, floor = job.task.d_vocab, job.task.floor()
    references = {f"uniform guess, ln {d_vocab}": math.log(d_vocab)}
    if floor is not None:
        references["floor"] = floor
    figure(
        loss_curve(
            [step.step for step in shown],
            [step.loss for step in shown],
            [(step, evaluation.loss) for step, evaluation in evaluations],
            references,
        ),
        key="loss",
        code=[next_token_loss, type(job.task).floor],
    )


def steering(job: Job) -> None:
    """The buttons; not in the part that is drawn anew every moment, which could swallow a press."""
    state_now = job.status().state
    pause, stop, look, again = st.columns(4)
    if state_now == "paused":
        pause.button("Go on", icon=":material/play_arrow:", on_click=job.resume, width="stretch")
    else:
        over = job.status().is_over
        pause.button(
            "Pause", icon=":material/pause:", on_click=job.pause, disabled=over, width="stretch"
        )
    stop.button(
        "Stop",
        icon=":material/stop:",
        on_click=job.stop,
        disabled=job.status().is_over,
        width="stretch",
    )
    name = job.directory.name
    look.button(
        "Open its attention",
        icon=":material/visibility:",
        disabled=not state.is_run(name),
        on_click=ask_to_open,
        args=(name,),
        width="stretch",
    )
    again.button("New run", icon=":material/refresh:", on_click=forget_run, width="stretch")


def forget_run() -> None:
    """Back to the controls; a run that is still going is stopped first."""
    if job := current_job():
        job.stop()
    st.query_params.pop("run", None)
    st.session_state.pop("run", None)


job = current_job()
if job is None:
    say_if_run_is_lost()
    controls()
    state.warm_training()
else:
    shown = job.status().state, state.is_run(job.directory.name)
    steering(job)
    ask_where_it_ends(job)

    @st.fragment(run_every=None if job.status().is_over else SECONDS_BETWEEN_LOOKS)
    def watch() -> None:
        progress(job)
        if shown != (job.status().state, state.is_run(job.directory.name)):
            st.rerun()

    watch()
