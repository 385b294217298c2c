"""What the page of bugs shows: symptoms as figures, two forms of a part, a blind diagnosis."""

from collections.abc import Iterable

import plotly.graph_objects as go
import streamlit as st

from pages._ui.layout import figure, literal
from tfs.bugs import BUGS, READINGS, Bug, Symptom, hidden_bug, read, source, trained_with
from tfs.bugs.lab import PERIOD, VALUES, Trained, floor
from tfs.bugs.readings import FLOOR
from tfs.plots import amount_bars, attention_pattern, loss_curve, lr_schedule

BY_NAME = {bug.name: bug for bug in BUGS}
BROKEN, FIXED = FORMS = ("broken", "fixed")
LAST_CASE = 9999


@st.cache_data(max_entries=64, show_spinner="Training a small model …")
def _trained(name: str, form: str) -> Trained:
    """Of a bug: the lab with one of its forms; everyone gets a copy of their own."""
    bug = BY_NAME[name]
    return trained_with(bug.broken if form == BROKEN else bug.fixed)


@st.cache_data(max_entries=512, show_spinner="Reading …")
def _reading(name: str, form: str, reading: str) -> Symptom:
    return read(reading, _trained(name, form))


def _both(bug: Bug, reading: str) -> dict[str, Symptom]:
    """A reading by form. All fixed forms make the same lab, so one training does for all."""
    return {
        BROKEN: _reading(bug.name, BROKEN, reading),
        FIXED: _reading(BUGS[0].name, FIXED, reading),
    }


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
    healthy = _reading(BUGS[0].name, FIXED, reading)
    if FLOOR in (*healthy.labels, *dict(healthy.levels)):
        st.caption(
            f"The {FLOOR}, {floor():.3f}, is the lowest mean loss without a look at the answer: "
            f"the first value is read and never asked for, the next {PERIOD - 1} can only be "
            f"guessed, each among {VALUES}, and all that follows is found by looking back."
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


def blind_diagnosis() -> None:
    """A numbered case: readings on demand, a diagnosis, a grade, and then the line."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    case = left.number_input("Case", 1, LAST_CASE, 1, key="case", bind="query-params")
    right.button("Next case", on_click=_next_case, disabled=case == LAST_CASE, width="stretch")
    bug = hidden_bug(case)
    tries = st.session_state.setdefault("bug tries", {})
    said = tries.setdefault(case, [])
    st.markdown(
        "One line of this small decoder is wrong. Ask for readings, compare them with those of a "
        "healthy one, and name the fault."
    )
    asked = st.pills("Readings", list(READINGS), selection_mode="multi", key="asked")
    for reading in asked or ["Loss while training"]:
        st.markdown(f"**{reading}.** {(READINGS[reading].__doc__ or '').partition(chr(10))[0]}")
        patient, healthy = st.columns(2)
        with patient:
            st.caption("This case")
            show_reading(bug, BROKEN, reading, key=f"case {reading}", hidden=case)
        with healthy:
            st.caption("A healthy lab")
            show_reading(bug, FIXED, reading, key=f"healthy {reading}", hidden=case)
        say_floor(reading)
    guess = st.selectbox("The fault is", sorted(BY_NAME), index=None, key=f"guess {case}")
    if st.button("Diagnose", type="primary", disabled=guess is None):
        said.append(guess)
    tried = "1 try" if len(said) == 1 else f"{len(said)} tries"
    if not said:
        st.caption("No try yet.")
    elif said[-1] == bug.name:
        st.success(
            f"Right after {tried}: {literal(bug.name)}.",
            icon=":material/check:",
        )
        st.markdown(bug.story)
        two_forms(bug)
    else:
        st.info(
            f"Not {literal(said[-1])}; {tried} so far. Its story says what to look for: "
            f"the reading *{BY_NAME[said[-1]].reading}* would show it.",
            icon=":material/close:",
        )


def _next_case() -> None:
    st.session_state["case"] += 1
