"""Guided tours over the pages. A tour is a file in assets/tours, written without Python.

title: From text to next token          what the list of tours says
about: one sentence
steps:
  - page: attention                     a page's place in the URL; home is home
    set: {model: induction, layer: 1}   what the step sets, by the names that stand in the URL
    text: Markdown to read
    do: what the reader must do         together with until; both may be left out
    until: {token: any}                 a name in the URL and its value; any: whatever was chosen
"""

from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from pages._ui.controls import NO_TOKEN, own_prompt

TOURS = Path(__file__).resolve().parents[2] / "assets" / "tours"
PAGES = Path(__file__).resolve().parents[1]
FIELDS = {"page", "set", "text", "do", "until"}


@st.cache_data(show_spinner=False)
def read_tour(name: str, changed: int) -> dict[str, Any]:
    """One tour, checked. Raises ValueError with the file, the step and what is wrong with it."""
    path = TOURS / f"{name}.yaml"
    try:
        tour = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tour, dict) or not tour.get("title") or not tour.get("steps"):
        raise ValueError(f"{path.name} needs a title, and steps with a page and a text each.")
    for number, step in enumerate(tour["steps"], start=1):
        if not isinstance(step, dict) or not {"page", "text"} <= set(step) <= FIELDS:
            raise ValueError(
                f"{path.name}, step {number}: a step has a page and a text, and may have "
                f"set, do and until; this one has {', '.join(step) or 'nothing'}."
            )
        if ("do" in step) != ("until" in step):
            raise ValueError(f"{path.name}, step {number}: do and until belong together.")
        if not list(PAGES.glob(f"*/{step['page']}.py")):
            raise ValueError(f"{path.name}, step {number}: there is no page {step['page']}.")
    return tour


def tours() -> dict[str, dict[str, Any]]:
    """All tours by name; one that cannot be read is told about and left out."""
    found = {}
    for path in sorted(TOURS.glob("*.yaml")):
        try:
            found[path.stem] = read_tour(path.stem, path.stat().st_mtime_ns)
        except ValueError as error:
            st.warning(str(error))
    return found


def resume() -> None:
    """A link into a tour starts it there; before any widget is made."""
    name = st.query_params.get("tour")
    if name and "tour" not in st.session_state and name in (known := tours()):
        at = _number(st.query_params.get("at", "1")) - 1
        start(name, min(max(at, 0), len(known[name]["steps"]) - 1))


def start(name: str, at: int = 0) -> None:
    """Go to a step of a tour; for a button's on_click."""
    if "tour" not in st.session_state:
        st.session_state["before the tour"] = own_prompt()
    st.session_state["tour"], st.session_state["tour step"] = name, at
    values = _values(tours()[name]["steps"][: at + 1])
    for key, value in values.items():
        st.session_state[key] = value
    st.session_state["go to"] = tours()[name]["steps"][at]["page"]
    st.session_state["arrive with"] = values


def _values(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the last of these steps sets; what it asks for is undone, so that it has to be done.

    A step speaks of the model that an earlier one has set: it comes back, with its prompt, where
    the reader has chosen another one meanwhile.
    """
    said: dict[str, Any] = {}
    for step in steps:
        said |= {key: step["set"][key] for key in ("model", "prompt") if key in step.get("set", {})}
    if st.session_state.get("model") == said.get("model", st.session_state.get("model")):
        said = {}
    values = said | steps[-1].get("set", {})
    asked = steps[-1].get("until", {}).keys() - values.keys()
    return values | {key: NO_TOKEN if "token" in key else None for key in asked}


def leave() -> None:
    """Back to reading alone, with what the reader had typed before."""
    for key in ("tour", "tour step"):
        st.session_state.pop(key, None)
    for name in ("tour", "at"):
        st.query_params.pop(name, None)
    st.session_state.update(st.session_state.pop("before the tour", {}))


def banner(page: str) -> None:
    """Above the page while a tour is on: what to read, what to do, back and on."""
    name, known = st.session_state.get("tour"), tours()
    if name not in known:
        return
    steps, at = known[name]["steps"], st.session_state["tour step"]
    st.query_params.update({"tour": name, "at": str(at + 1)})
    with st.container(border=True, key="tour"):
        st.markdown(f"**{known[name]['title']}**, step {at + 1} of {len(steps)}")
        st.markdown(steps[at]["text"])
        if page != steps[at]["page"]:
            st.button(
                "Go to the page of this step", key="tour here", on_click=start, args=(name, at)
            )
        done = is_done(steps[at])
        if "do" in steps[at]:
            icon = ":material/check_circle:" if done else ":material/touch_app:"
            st.markdown(f"{icon} **{steps[at]['do']}**")
        _buttons(name, at, len(steps), done)


def _buttons(name: str, at: int, count: int, done: bool) -> None:
    with st.container(horizontal=True):
        back, on = (name, at - 1), (name, at + 1)
        st.button("Back in the tour", key="tour back", disabled=at == 0, on_click=start, args=back)
        if at + 1 < count:
            st.button("Next", key="tour next", disabled=not done, on_click=start, args=on)
        else:
            st.button("Finish the tour", key="tour end", disabled=not done, on_click=leave)
        st.button("Leave the tour", key="tour leave", type="tertiary", on_click=leave)


def is_done(step: dict[str, Any]) -> bool:
    """Whether the reader has done what the step asks."""
    for key, wanted in step.get("until", {}).items():
        value = st.session_state.get(key)
        if value in (None, NO_TOKEN) or (wanted != "any" and str(value) != str(wanted)):
            return False
    return True


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1
