"""The list of runs, and what can be done with one of them."""

import datetime

import streamlit as st

from pages._ui import state
from pages._ui.controls import remember_run
from pages._ui.layout import counted, literal
from pages._ui.owner import owner
from pages._ui.training import look_at, open_button, readable_time
from tfs.arithmetic import readable_bytes
from tfs.train.entry import Entry, size_of
from tfs.train.run_library import GOING_ON


def summary(entries: list[Entry]) -> None:
    """What the runs take of the disk, all of them and these."""
    library = state.run_library()
    mine = sum(entry.bytes for entry in entries)
    taken = size_of(library.root)
    first, second, third = st.columns(3)
    first.metric("Runs of this browser", len(entries))
    second.metric("They take", readable_bytes(mine))
    third.metric("All runs on this server", readable_bytes(taken))
    st.progress(min(taken / library.budget, 1.0), f"of {readable_bytes(library.budget)} in all")


def listed(entries: list[Entry]) -> None:
    """A row for each run, newest first."""
    st.dataframe(
        {
            "title": [entry.title for entry in entries],
            "state": [entry.state for entry in entries],
            "step": [f"{entry.step:,} of {entry.steps:,}" for entry in entries],
            "trained for": [readable_time(entry.seconds) for entry in entries],
            "on disk": [readable_bytes(entry.bytes) for entry in entries],
            "begun": [datetime.datetime.fromtimestamp(entry.created) for entry in entries],
            "went on from": [_origin(entry, entries) for entry in entries],
            "run": [entry.name for entry in entries],
        },
        hide_index=True,
        column_config={"begun": st.column_config.DatetimeColumn(format="D MMM, HH:mm")},
    )


def _origin(entry: Entry, entries: list[Entry]) -> str:
    if entry.parent is None:
        return ""
    name, step = entry.parent
    titles = {other.name: other.title for other in entries}
    return f"{titles.get(name, name)}, step {step:,}"


def chosen_run(entries: list[Entry]) -> None:
    """One of them: open, rename, delete, take along."""
    by_name = {entry.name: entry for entry in entries}
    if came_in := st.session_state.pop("came in", None):
        st.session_state["chosen run"] = came_in
    if st.session_state.get("chosen run") not in by_name:
        st.session_state.pop("chosen run", None)
    name = st.selectbox(
        "Run",
        list(by_name),
        format_func=lambda name: f"{by_name[name].title} ({name})",
        key="chosen run",
        bind="query-params",
    )
    entry = by_name.get(name, entries[0])
    if entry.error:
        st.caption(literal(entry.error))
    with st.container(horizontal=True):
        st.button("Watch it", icon=":material/model_training:", on_click=_watch, args=(entry,))
        open_button(entry.name)
        st.download_button(
            "Take it along (zip)",
            data=lambda: state.run_library().export(entry.name),
            file_name=f"{entry.name}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
        _rename(entry)
        _delete(entry)


def _watch(entry: Entry) -> None:
    look_at(entry.name)
    st.session_state["go to"] = "live"


def _rename(entry: Entry) -> None:
    with st.popover("Rename", icon=":material/edit:"):
        title = st.text_input("Title", entry.title, key=f"title of {entry.name}", max_chars=80)
        st.button("Give it this title", on_click=_do, args=("rename", entry.name, title))


def _delete(entry: Entry) -> None:
    going_on = entry.state in GOING_ON
    with st.popover("Delete", icon=":material/delete:", disabled=going_on):
        st.markdown(
            f"**{literal(entry.title)}** and its {readable_bytes(entry.bytes)} will be gone."
        )
        st.button("Delete it for good", type="primary", on_click=_do, args=("delete", entry.name))


def _do(what: str, *arguments: str) -> None:
    """One of the library's verbs; where it cannot be done, the sentence that says why."""
    try:
        getattr(state.run_library(), what)(*arguments)
    except (ValueError, OSError) as error:
        st.session_state["why not"] = str(error)
        return
    if what == "rename":
        st.session_state["chosen run"] = arguments[0]  # else its box keeps the old title


def bring_in() -> None:
    """A zip that this page, here or elsewhere, has packed."""
    st.subheader("Bring a run in")
    file = st.file_uploader(
        "A zip that was taken along from this page, here or on another server",
        type=["zip"],
        key=f"zip {st.session_state.get('zips', 0)}",
    )
    if file is None:
        return
    st.session_state["zips"] = st.session_state.get("zips", 0) + 1  # the box is empty again
    try:
        name = state.run_library().import_(file.getvalue(), owner())
    except (ValueError, OSError) as error:
        st.session_state["rejected"] = f"{file.name}: {error}"
    else:
        remember_run(name)
        st.session_state["came in"] = name  # its box is already drawn
        st.toast(f"{counted(1, 'run')} came in: {literal(file.name)}")
    st.rerun()
