"""Guided tours over the pages. A tour is a file in assets/tours, written without Python.

title: From text to next token          what the list of tours says
about: one sentence
steps:
  - page: attention                     a page's place in the URL; home is home
    set: {model: induction, layer: 1}   what the step sets, by the names that stand in the URL
    text: Markdown to read
    do: what the reader must do         together with until; both may be left out
    until: {token: any}                 a name in the URL, and which of its values will do
end: Markdown to read after the last step; may be left out
after: {ask: false}                     what a widget says when the tour is over, where the reader
                                        had not chosen anything before it; may be left out

set: {token: null} lets go of a token, a key token or a guess that an earlier step asked for.
until: {token: any} takes whatever was chosen; {step: 4 softmax} that value only;
{token: {from: 10}} a number from there on, and {token: {from: 10, to: 19}} up to there.

When the tour is over, what its steps set or asked for is as it was before. The URL says which step
is on screen, and where the two differ, as after the browser's Back, the URL is right.
"""

from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from pages._ui.controls import NO_TOKEN
from pages._ui.layout import literal

TOURS = Path(__file__).resolve().parents[2] / "assets" / "tours"
PAGES = Path(__file__).resolve().parents[1]
FIELDS = {"page", "set", "text", "do", "until"}
STYLE = Path(__file__).resolve().parents[2] / "assets" / "tours" / "banner.css"


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
        if any(isinstance(rule, dict) and not _is_range(rule) for rule in _rules(step)):
            raise ValueError(
                f"{path.name}, step {number}: until takes any, a value, or a range such as "
                "{from: 10, to: 19}."
            )
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


def _rules(step: dict[str, Any]) -> list[Any]:
    return list(step.get("until", {}).values())


def _is_range(rule: dict[str, Any]) -> bool:
    """{from: 10}, {to: 19} or both."""
    whole = all(isinstance(edge, int) for edge in rule.values())
    return bool(rule) and rule.keys() <= {"from", "to"} and whole


def resume() -> None:
    """Where the URL speaks of another step than it was told, go there; before any widget is made.

    That is so for a link into a tour, and for the browser's Back and Forward.
    """
    name, at = (st.query_params.get(key) for key in ("tour", "at"))
    if name is None or (name, at) == st.session_state.get("tour in the URL"):
        return
    if name in (known := tours()):
        step = min(max(_number(at or "1"), 1), len(known[name]["steps"])) - 1
        start(name, step)
        st.session_state["tour in the URL"] = (name, at)


def start(name: str, at: int = 0) -> None:
    """Go to a step of a tour; for a button's on_click."""
    if "tour" not in st.session_state:
        st.session_state["before the tour"] = {
            key: st.session_state[key] for key in _touched() if key in st.session_state
        }
    st.session_state.pop("tour that ended", None)
    st.session_state["tour"], st.session_state["tour step"] = name, at
    values = _values(tours()[name]["steps"][: at + 1])
    for key, value in values.items():
        st.session_state[key] = value
    st.session_state["go to"] = tours()[name]["steps"][at]["page"]
    st.session_state["arrive with"] = values


def _touched() -> set[str]:
    """What a step of any tour sets or asks for."""
    steps = [step for tour in tours().values() for step in tour["steps"]]
    return {key for step in steps for key in {**step.get("set", {}), **step.get("until", {})}}


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
    values |= dict.fromkeys(steps[-1].get("until", {}).keys() - values.keys())
    return {key: _nothing(key) if value is None else value for key, value in values.items()}


def _nothing(key: str) -> int | None:
    """What stands for no choice."""
    return NO_TOKEN if key in ("token", "key token") else None


def leave() -> None:
    """Back to reading alone, with everything as the reader had it before the tour.

    A prompt that the reader typed on the way stays, and the model that it was typed for.
    """
    known = tours()
    after = known.get(st.session_state.get("tour"), {}).get("after", {})
    before = st.session_state.pop("before the tour", {})
    given = {s.get("set", {}).get("prompt") for tour in known.values() for s in tour["steps"]}
    own = {"model", "prompt"} if st.session_state.get("prompt") not in given else set()
    for key in (_touched() & st.session_state.keys()) - own:
        if key in before:
            st.session_state[key] = before[key]
        elif key in after:
            st.session_state[key] = after[key]
        elif key == "token" or key == "key token" or key.startswith("predict "):
            st.session_state[key] = _nothing(key)
    for key in ("tour", "tour step", "tour in the URL"):
        st.session_state.pop(key, None)
    for name in ("tour", "at"):
        st.query_params.pop(name, None)


def finish() -> None:
    """After the last step: leave, and let the page say what there was to see."""
    st.session_state["tour that ended"] = st.session_state["tour"]
    leave()


def _farewell(name: str, known: dict[str, dict[str, Any]]) -> None:
    """A closing word, and the other tours."""
    with st.container(border=True, key="tour end word"):
        st.markdown(f"**You have walked to the end of: {known[name]['title']}**")
        st.markdown(known[name].get("end", ""))
        with st.container(horizontal=True):
            start_buttons([other for other in known if other != name])
            st.button(
                "Close",
                key="tour close",
                type="tertiary",
                on_click=st.session_state.pop,
                args=("tour that ended", None),
            )


def start_buttons(names: list[str]) -> None:
    """A button for each of these tours."""
    known = tours()
    for name in names:
        st.button(
            f"Tour: {literal(known[name]['title'])}",
            key=f"start {name}",
            icon=":material/hiking:",
            on_click=start,
            args=(name,),
        )


def place() -> str:
    """Which tour the reader is on and where, or which one has just ended; "" without any."""
    name, ended = (st.session_state.get(key) for key in ("tour", "tour that ended"))
    return f"{name} {st.session_state['tour step']}" if name else f"end of {ended}" if ended else ""


def banner(page: str) -> None:
    """Above the page while a tour is on: what to read, what to do, back and on."""
    name, known = st.session_state.get("tour"), tours()
    if (ended := st.session_state.get("tour that ended")) in known:
        if st.session_state.setdefault("tour ended on", page) == page:
            _farewell(ended, known)
        else:  # the reader has gone on
            st.session_state.pop("tour that ended")
    if st.session_state.get("tour that ended") is None:
        st.session_state.pop("tour ended on", None)
    if name not in known:
        return
    steps, at = known[name]["steps"], st.session_state["tour step"]
    if page == steps[at]["page"]:
        _write_url(name, str(at + 1))
    st.html(STYLE)
    with st.container(border=True, key="tour"):
        with st.container(key="tour words"):
            st.markdown(f"**{known[name]['title']}**, step {at + 1} of {len(steps)}")
            st.markdown(steps[at]["text"])
        with st.container(key="tour bar"):
            if page != steps[at]["page"]:
                st.button(
                    "Go to the page of this step", key="tour here", on_click=start, args=(name, at)
                )
            done = is_done(steps[at])
            if "do" in steps[at]:
                icon = ":material/check_circle:" if done else ":material/touch_app:"
                st.markdown(f"{icon} **{steps[at]['do']}**")
            _buttons(name, at, len(steps), done)


def _write_url(name: str, at: str) -> None:
    """Each writing is an entry in the browser's history, so none is made without need."""
    if (st.query_params.get("tour"), st.query_params.get("at")) != (name, at):
        st.query_params.update({"tour": name, "at": at})
    st.session_state["tour in the URL"] = (name, at)


def _buttons(name: str, at: int, count: int, done: bool) -> None:
    with st.container(horizontal=True):
        back, on = (name, at - 1), (name, at + 1)
        st.button("Back in the tour", key="tour back", disabled=at == 0, on_click=start, args=back)
        if at + 1 < count:
            st.button("Next", key="tour next", disabled=not done, on_click=start, args=on)
        else:
            st.button("Finish the tour", key="tour end", disabled=not done, on_click=finish)
        st.button("Leave the tour", key="tour leave", type="tertiary", on_click=leave)


def is_done(step: dict[str, Any]) -> bool:
    """Whether the reader has done what the step asks."""
    return all(
        _will_do(st.session_state.get(key), rule) for key, rule in step.get("until", {}).items()
    )


def _will_do(value: Any, rule: Any) -> bool:
    if value in (None, NO_TOKEN):
        return False
    if isinstance(rule, dict):
        low, high = rule.get("from", value), rule.get("to", value)
        return isinstance(value, int) and low <= value <= high
    return rule == "any" or str(value) == str(rule)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1
