"""What the page of bugs shows of one: its symptom as a figure, both its forms, and its check."""

import inspect
import math
from collections.abc import Iterable

import plotly.graph_objects as go
import streamlit as st

from pages._ui.layout import figure
from tfs.bugs import BUGS, READINGS, Bug, Symptom, read, source, trained_with
from tfs.bugs.lab import LONGEST, PERIOD, SHORTEST, VALUES, Trained, floor
from tfs.bugs.readings import FLOOR
from tfs.plots import amount_bars, attention_pattern, loss_curve, lr_schedule

BY_NAME = {bug.name: bug for bug in BUGS}
BROKEN, FIXED = FORMS = ("broken", "fixed")


@st.cache_data(max_entries=64, show_spinner="Training a small model …")
def _trained(name: str, form: str) -> Trained:
    """Of a bug: the lab with one of its forms; everyone gets a copy of their own."""
    bug = BY_NAME[name]
    return trained_with(bug.broken if form == BROKEN else bug.fixed)


@st.cache_data(max_entries=512, show_spinner="Reading …")
def reading_of(name: str, form: str, reading: str) -> Symptom:
    return read(reading, _trained(name, form))


def _both(bug: Bug, reading: str) -> dict[str, Symptom]:
    """A reading by form. All fixed forms make the same lab, so one training does for all."""
    return {
        BROKEN: reading_of(bug.name, BROKEN, reading),
        FIXED: reading_of(BUGS[0].name, FIXED, reading),
    }


def introduce(reading: str) -> None:
    """A reading's name, and what is measured, as the function that measures it says."""
    st.markdown(f"**{reading}.** {inspect.getdoc(READINGS[reading])}")


def show_reading(bug: Bug, form: str, reading: str, *, key: str, hidden: int | None = None) -> None:
    """A reading of the lab with this form, on the axis that the other form has as well.

    hidden: the case whose bug must not be told. A healthy lab is any bug's fixed form.
    """
    both = _both(bug, reading)
    of = f"hidden_bug({hidden})" if hidden is not None else f"BUGS[{BUGS.index(bug)}]"
    program = (
        "import torch\nimport tfs\nfrom tfs.bugs import BUGS, hidden_bug, read, trained_with\n\n"
        f"trained = trained_with({of}.{form})\n"
        f"result = read({reading!r}, trained).values"
    )
    figure(drawing(both[form], both.values()), key=key, code=[READINGS[reading]], program=program)


def say_floor(reading: str) -> None:
    """What the honest floor is, where this reading has one."""
    healthy = reading_of(BUGS[0].name, FIXED, reading)
    if FLOOR in (*healthy.labels, *dict(healthy.levels)):
        guessed, asked = PERIOD - 1, (SHORTEST + LONGEST) / 2 - 1
        st.caption(
            f"The {FLOOR}, {floor():.3f}, is the lowest mean loss without a look at the answer. A "
            f"sequence has {SHORTEST} to {LONGEST} tokens, each length as often as another, and "
            f"the padding after it is not asked for. Its first token is read and never asked for, "
            f"which leaves {asked:g} questions on average. The first {guessed} can only be "
            f"guessed, each among {VALUES} values, which costs ln {VALUES} = "
            f"{math.log(VALUES):.3f}; all that follows is found by looking back {PERIOD} tokens, "
            f"and costs nothing. So the mean is {guessed} · {math.log(VALUES):.3f} / {asked:g} = "
            f"{floor():.3f}."
        )


def drawing(symptom: Symptom, beside: Iterable[Symptom]) -> go.Figure:
    """The figure for the kind of numbers that a symptom is, on an axis that all beside it share."""
    values = symptom.values.tolist()
    among = [value for each in beside for value in each.values.flatten().tolist()]
    if symptom.kind == "pattern":
        return attention_pattern(symptom.values, symptom.labels)
    if symptom.kind == "bars":
        return amount_bars(symptom.values, symptom.labels, x_title=symptom.what, among=among)
    if symptom.what == "learning rate":
        return lr_schedule(range(len(values)), values, among=among)
    levels = dict(symptom.levels)
    return loss_curve(range(len(values)), values, references=levels, among=among)


def two_forms(bug: Bug) -> None:
    """Both sources, one under the other, the line that differs marked with an arrow."""
    line = bug.differing_line()
    for form, function in ((BROKEN, bug.broken), (FIXED, bug.fixed)):
        st.caption(f"The {form} form; line {line + 1} differs.")
        lines = [
            f"{text}  # <-- {form}" if n == line else text
            for n, text in enumerate(source(function))
        ]
        st.code("\n".join(lines), language="python", line_numbers=True, wrap_lines=True)


def verdict(bug: Bug, form: str) -> None:
    """The bug's check, run now on the chosen form."""
    doc = (bug.check.__doc__ or "").partition("\n")[0]
    if bug.check(bug.broken if form == BROKEN else bug.fixed):
        st.success(f"The {form} form passes. The check: {doc}", icon=":material/check:")
    else:
        st.warning(f"The {form} form fails. The check: {doc}", icon=":material/close:")
