"""The blind diagnosis on the page of bugs: a hidden bug, its readings, guesses, and hints."""

import streamlit as st

from pages._ui.bug_views import (
    BROKEN,
    BY_NAME,
    FIXED,
    introduce,
    reading_of,
    say_floor,
    show_reading,
    two_forms,
)
from pages._ui.layout import literal
from tfs.bugs import READINGS, Bug, Symptom, hidden_bug
from tfs.bugs.hints import QUICK, healthy_siblings, telling_reading

LAST_CASE = 9999
TRIES = "bug tries"  # in the session: of each case, the faults named, each once, the latest last


def blind_diagnosis() -> None:
    """A numbered case: readings on demand, a diagnosis, a grade, and then the line."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    case = left.number_input("Case", 1, LAST_CASE, 1, key="case", bind="query-params")
    right.button("Next case", on_click=_next_case, disabled=case == LAST_CASE, width="stretch")
    bug = hidden_bug(case)
    st.markdown(
        "One line of this small decoder is wrong. Ask for readings, compare them with those of a "
        "healthy one, and name the fault."
    )
    asked = st.pills("Readings", list(READINGS), selection_mode="multi", key="asked")
    for reading in asked or ["Loss while training"]:
        _compare(bug, reading, case)
    said = st.session_state.setdefault(TRIES, {}).setdefault(case, [])
    guess = st.selectbox("The fault is", sorted(BY_NAME), index=None, key=f"guess {case}")
    solved = bug.name in said
    st.button(
        "Diagnose",
        type="primary",
        disabled=guess is None or solved,
        on_click=_diagnose,
        args=(case,),
    )
    _grade(bug, said)


def _compare(bug: Bug, reading: str, case: int) -> None:
    """A reading of the case, and beside it that of a healthy lab."""
    introduce(reading)
    patient, healthy = st.columns(2)
    with patient:
        st.caption("This case")
        show_reading(bug, BROKEN, reading, key=f"case {reading}", hidden=case)
    with healthy:
        st.caption("A healthy lab")
        show_reading(bug, FIXED, reading, key=f"healthy {reading}", hidden=case)
    say_floor(reading)


def _diagnose(case: int) -> None:
    """Notes the fault that was named: once, however often it is."""
    said, guess = st.session_state[TRIES][case], st.session_state[f"guess {case}"]
    if guess in said:
        said.remove(guess)
    said.append(guess)


def _grade(bug: Bug, said: list[str]) -> None:
    """What is to be said of the latest guess."""
    tried = "1 try" if len(said) == 1 else f"{len(said)} tries"
    if not said:
        st.caption("No try yet.")
    elif said[-1] == bug.name:
        st.success(f"Right after {tried}: {literal(bug.name)}.", icon=":material/check:")
        st.markdown(bug.story)
        two_forms(bug)
    else:
        st.info(f"“{literal(said[-1])}” is not it; {tried} so far.", icon=":material/close:")
        st.markdown(_hint(bug.name, said[-1]))  # which takes seconds, and so comes after


def _hint(hidden: str, guessed: str) -> str:
    """Where to look, so that the guess is seen to be wrong."""
    telling = telling_reading(_quick(hidden), _quick(guessed), _siblings())
    if telling is None:
        return "No reading tells it plainly from this case."
    return f"With that fault the reading *{telling}* would look otherwise than it does here."


def _quick(name: str) -> dict[str, Symptom]:
    return {reading: reading_of(name, BROKEN, reading) for reading in QUICK}


@st.cache_data(show_spinner="Training healthy models …")
def _siblings() -> list[dict[str, Symptom]]:
    return healthy_siblings()


def _next_case() -> None:
    st.session_state["case"] += 1
