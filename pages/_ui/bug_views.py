"""What the page of bugs shows: symptoms as figures, two forms of a part, a blind diagnosis."""

import plotly.graph_objects as go
import streamlit as st

from pages._ui.layout import figure, literal
from tfs.bugs import BUGS, READINGS, Bug, Symptom, hidden_bug, read, source, trained_with
from tfs.bugs.lab import Trained
from tfs.plots import attention_pattern, loss_curve, lr_schedule, signed_bars

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


def show_reading(bug: Bug, form: str, reading: str, *, key: str, hidden: int | None = None) -> None:
    """A reading of the lab with this form. hidden: the case whose bug must not be told."""
    symptom = _reading(bug.name, form, reading)
    of = f"hidden_bug({hidden})" if hidden is not None else f"BUGS[{BUGS.index(bug)}]"
    program = (
        "import torch\nimport tfs\nfrom tfs.bugs import BUGS, hidden_bug, read, trained_with\n\n"
        f"trained = trained_with({of}.{form})\n"
        f"result = read({reading!r}, trained).values"
    )
    figure(drawing(symptom), key=key, code=[READINGS[reading]], program=program)


def drawing(symptom: Symptom) -> go.Figure:
    """The figure for the kind of numbers that a symptom is."""
    steps = range(len(symptom.values))
    if symptom.kind == "pattern":
        return attention_pattern(symptom.values, symptom.labels)
    if symptom.kind == "bars":
        return signed_bars(symptom.values, symptom.labels, x_title=symptom.what)
    if symptom.what == "learning rate":
        return lr_schedule(steps, symptom.values.tolist())
    return loss_curve(steps, symptom.values.tolist(), references=dict(symptom.levels))


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
        st.success(f"The {form} form passes its check. {doc}", icon=":material/check:")
    else:
        st.warning(f"The {form} form fails its check. {doc}", icon=":material/close:")


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
            show_reading(BUGS[0], FIXED, reading, key=f"healthy {reading}")
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
