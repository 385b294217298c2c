"""While a run is trained and after: its numbers, its loss, and what it says."""

import math

import streamlit as st

from pages._ui import state
from pages._ui.layout import counted, figure, literal, metrics
from pages._ui.watched import Watched, answers_can_be_graded
from tfs.plots import accuracy_by_position, loss_curve, over_training
from tfs.sample import generate
from tfs.train.guesses import Said, answers
from tfs.train.loss import next_token_loss
from tfs.train.metrics import evaluate
from tfs.train.references import reference_losses

MOST_POINTS = 600
MOST_EVALUATIONS = 60
QUESTIONS, LONGEST_SAMPLE = 3, 80
STEPS_OF_SAMPLES = 8


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


def samples(run: Watched) -> None:
    """What it answered, or wrote, at kept steps: the same questions each time."""
    view = run.view()
    if view is None or not (steps := view.bundle.snapshots):
        return
    st.subheader("What it says" if answers_can_be_graded(run) else "What it writes")
    every = max(1, -(-len(steps) // STEPS_OF_SAMPLES))
    few = sorted({*steps[::-1][::every]})
    rows = [_row(run, step) for step in few]
    st.table({"after": [counted(step, "update") for step in few]} | _columns(rows))
    if answers_can_be_graded(run):
        st.caption(
            "Each token of an answer is guessed from the true tokens before it; wrong ones are "
            "struck through, on red."
        )


def _columns(rows: list[list[str]]) -> dict[str, list[str]]:
    titles = [row[0] for row in rows[-1]]
    return {title: [row[place][1] for row in rows] for place, title in enumerate(titles)}


def _row(run: Watched, step: int) -> list[tuple[str, str]]:
    """For one kept step a pair of title and cell for each question."""
    opened = state.open_model(run.name, step)
    if answers_can_be_graded(run):
        return [
            (f"`{_short(said.question)}`", _struck(said))
            for said in _answers(opened.bundle.model, opened.fingerprint, run.task, run.name)
        ]
    written = _written(opened.bundle, opened.fingerprint, run.task, run.name)
    return [("continues the held-out text", literal(written))]


def _short(text: str) -> str:
    return (text if len(text) <= 48 else "… " + text[-46:]).replace("`", "'").strip() or "(nothing)"


def _struck(said: Said) -> str:
    """The guesses in Markdown, at most some twenty of them; wrong ones are struck through, and on
    red, since a bracket that is struck through alone looks like a plus."""
    pairs = list(zip(said.guesses, said.truth, strict=True))[:20]
    words = [
        literal(guess) if guess == true else f":red-background[~~{literal(guess.strip())}~~]"
        for guess, true in pairs
    ]
    return said.glue.join(words) + (" …" if len(said.truth) > 20 else "")


@st.cache_data(show_spinner=False, max_entries=2048)
def _answers(_model, fingerprint: str, _task, name: str) -> list[Said]:
    return answers(_model, _task, QUESTIONS)


@st.cache_data(show_spinner=False, max_entries=1024)
def _written(_bundle, fingerprint: str, _task, name: str) -> str:
    n_ctx = _bundle.model.cfg.n_ctx
    start = _task.sample(1, 0, "held_out").tokens[:, : max(1, min(8, n_ctx // 2))]
    tokens = generate(_bundle.model, start, LONGEST_SAMPLE, temperature=0.8, seed=0)
    return _bundle.tokenizer.decode(tokens[0].tolist())
