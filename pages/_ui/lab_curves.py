"""While a run is trained and after: its numbers and its loss."""

import math

import streamlit as st

from pages._ui.layout import figure, literal, metrics
from pages._ui.watched import Watched, answers_can_be_graded
from tfs.plots import accuracy_by_position, loss_curve, over_training
from tfs.train.loss import next_token_loss
from tfs.train.metrics import evaluate
from tfs.train.references import reference_losses

MOST_POINTS = 600
MOST_EVALUATIONS = 60


def numbers(run: Watched) -> None:
    """Where the run stands, in a bar and eight numbers."""
    entry, lines = run.entry, run.lines()
    if entry.state == "queued" and run.job:
        place = run.job.status().place
        st.info(f"Waiting for a free place: you are number {place} in the queue." if place else "")
    if entry.error:
        st.error(literal(entry.error))
    done = min(entry.step / entry.steps, 1.0)
    st.progress(done, f"{entry.state}: step {entry.step:,} of {entry.steps:,}{_left(run, lines)}")
    if not lines:
        return
    last, measured = lines[-1], _measured(lines)
    shown = {
        "Training loss": f"{last['loss']:.3f}",
        "Held-out loss": f"{measured[-1]['loss']:.3f}" if measured else "not yet",
        "Answers right": _share(measured, "accuracy"),
        "Whole sequences right": _share(measured, "exact"),
        "Tokens per second": f"{last['tokens_per_second']:,.0f}",
        "Gradient norm": f"{last['grad_norm']:.3g}",
        "Learning rate": f"{last['lr']:.3g}",
        "Seconds trained": f"{entry.seconds:,.0f}",
    }
    metrics(shown)


def _share(measured: list[dict], which: str) -> str:
    value = measured[-1].get(which) if measured else None
    return "not yet" if value is None or math.isnan(value) else f"{value:.1%}"


def _left(run: Watched, lines: list[dict]) -> str:
    """How long the rest will take at the pace so far, while it is trained."""
    entry = run.entry
    if entry.state != "running" or entry.seconds < 2 or not entry.step:
        return ""
    seconds = entry.seconds / entry.step * (entry.steps - entry.step)
    return f", about {seconds:,.0f} s left"


def _measured(lines: list[dict]) -> list[dict]:
    """The evaluations, each with its step."""
    return [line["held_out"] | {"step": line["step"]} for line in lines if line["held_out"]]


def curves(run: Watched) -> None:
    """The loss with what it can be compared to; the gradient's norm and the learning rate."""
    lines = run.lines()
    if not lines:
        return
    measured = _measured(lines)
    shown = lines[:: max(1, len(lines) // MOST_POINTS)]
    steps = [line["step"] for line in shown]
    held_out = measured[:: max(1, len(measured) // MOST_EVALUATIONS)]
    figure(
        loss_curve(
            steps,
            [line["loss"] for line in shown],
            [(each["step"], each["loss"]) for each in held_out],
            run.references(),
        ),
        key="loss",
        code=[next_token_loss, reference_losses, type(run.task).floor],
    )
    panels = {
        "gradient norm": {"gradient": (steps, [line["grad_norm"] for line in shown])},
        "learning rate": {"rate": (steps, [line["lr"] for line in shown])},
    }
    with st.expander("Gradient norm and learning rate", key="norms"):
        figure(over_training(panels), key="rates", code=[evaluate])
    if answers_can_be_graded(run) and len(held_out) > 1:
        st.subheader("How many answers are right")
        figure(
            over_training({"answers right": _accuracies(lines)}, shares=["answers right"]),
            key="accuracy",
            code=[evaluate],
        )
    if answers_can_be_graded(run) and len(held_out) > 1 and "by_position" in held_out[-1]:
        rows = [each["by_position"] for each in held_out]
        if sum(share is not None for share in rows[-1]) > 1:
            st.subheader("Which answers are right")
            figure(
                accuracy_by_position([each["step"] for each in held_out], rows),
                key="by position",
                code=[evaluate],
            )


def _accuracies(lines: list[dict]) -> dict[str, tuple[list[int], list[float]]]:
    """Shares of right answers on held-out sequences, and on seen ones where they come again."""
    found = {}
    for part, name in (("held_out", "held out"), ("seen", "seen in training")):
        if measured := [line for line in lines if line.get(part)]:
            every = measured[:: max(1, len(measured) // MOST_EVALUATIONS)]
            accuracy = [line[part]["accuracy"] for line in every]
            found[name] = [line["step"] for line in every], accuracy
    return found
