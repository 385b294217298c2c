"""How a page shows things: prose from assets, and figures with everything that belongs to them."""

import csv
import functools
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

from pages._ui.axes import coloured, coloured_shapes
from pages._ui.standalone import standalone_page
from tfs.plots import figure_alt, figure_table

ASSETS = Path(__file__).resolve().parents[2] / "assets"
PROSE = ASSETS / "prose"
MOST_ROWS = 2000
METRIC_PIXELS = 155
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def literal(text: str) -> str:
    """The text as Markdown that shows it letter by letter, whatever a reader typed into it."""
    return PUNCTUATION.sub(r"\\\1", text.replace("\n", "↵"))


def quoted(token: str) -> str:
    """A token in quotation marks, with its spaces and escapes, as literal Markdown."""
    return literal(repr(token))


def sentence(error: str | Exception) -> str:
    """What a library says is wrong, as a sentence of its own: with a capital and a full stop."""
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def counted(n: int, thing: str) -> str:
    """A number of things in words: "1 token", "2 tokens"."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def style() -> None:
    """What Streamlit's own styles leave too little room for: see assets/style.css."""
    st.html(ASSETS / "style.css")


def prose(name: str) -> None:
    """The Markdown of assets/prose/<name>.md, its axis words in colour."""
    st.markdown(coloured((PROSE / f"{name}.md").read_text()))


def metrics(shown: dict[str, str]) -> None:
    """Numbers by their labels: four in a row, two where the screen is a phone's."""
    with st.container(horizontal=True):
        for label, value in shown.items():
            st.metric(label, value, width=METRIC_PIXELS)


def figure(
    fig: go.Figure,
    *,
    key: str,
    code: Sequence[Callable],
    reads: str = "",
    program: str = "",
    height: int = 0,
) -> None:
    """A figure with its alt text, the code that made it, and its numbers to look at or take along.

    code: the functions that computed what is drawn; reads: the hook or weight they read, with
    shape; program: lines that compute `result`, the numbers drawn, in a fresh interpreter.
    """
    if height:
        fig.update_layout(height=height)
    _chart(fig, key)
    box = code_box(key)
    if box.open:
        with box:
            made_by(code, reads, program)
            _take_along(fig, key, program)


def behind(
    makers: Mapping[str, Callable[[], go.Figure]],
    *,
    key: str,
    code: Sequence[Callable],
    reads: str = "",
    program: str = "",
) -> None:
    """The same box for a component: its pictures as figures to take along, made when it is open.

    makers: a figure by name for each picture; the other arguments as for `figure`.
    """
    box = code_box(key)
    if not box.open:
        return
    with box:
        made_by(code, reads, program)
        names = list(makers)
        name = names[0]
        if len(names) > 1:
            name = st.segmented_control(
                "To take along", names, default=name, required=True, key=f"{key} which"
            )
        fig = makers[name]()
        if st.toggle("Show it as a figure with a camera", key=f"{key} shown"):
            _chart(fig, key)
        _take_along(fig, key, program)


def code_box(key: str) -> ExpanderContainer:
    """The box with the code that made a picture, to be filled only where its `open` is true.

    A page's sources and programs weigh more than its pictures, on the wire and in the browser.
    """
    return st.expander(
        "The code that made this picture",
        icon=":material/code:",
        key=f"{key} code",
        on_change="rerun",
    )


def made_by(code: Sequence[Callable], reads: str = "", program: str = "") -> None:
    """What was read, a program to paste into a notebook, and the source of what it calls."""
    if reads:
        st.caption(f"It reads {coloured_shapes(reads)}.")
    if program:
        st.caption("Paste this into a notebook: `result` holds the numbers of the picture.")
        st.code(program, language="python")
    st.caption("The functions that ran:")
    st.code("\n\n".join(_source(function) for function in code), language="python")


def _chart(fig: go.Figure, key: str) -> None:
    """The figure; its camera saves in the format that the reader chose below it."""
    picture = (st.session_state.get(f"{key} camera") or "PNG").lower()
    camera = {"format": picture, "filename": key, "scale": 2}
    st.plotly_chart(
        fig,
        key=f"{key} figure",
        alt=figure_alt(fig),
        config={"displaylogo": False, "toImageButtonOptions": camera},
    )


def _take_along(fig: go.Figure, key: str, program: str) -> None:
    """The numbers as a table, downloads, and the format that the camera saves in."""
    if st.toggle("Show its numbers as a table", key=f"{key} table"):
        _table(fig)
    known = {name: st.session_state.get(name, "") for name in ("model", "prompt")}
    page = functools.partial(
        standalone_page,
        fig,
        figure_alt(fig),
        page=st.session_state["page title"],
        program=program,
        **(known if program else {}),
    )

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "Numbers (CSV)",
            data=lambda: _as_csv(figure_table(fig)),
            file_name=f"{key}.csv",
            mime="text/csv",
            key=f"{key} csv",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Page of its own (HTML)",
            data=lambda: page().encode(),
            file_name=f"{key}.html",
            mime="text/html",
            key=f"{key} html",
            on_click="ignore",
            icon=":material/download:",
        )
        st.segmented_control(
            "The camera saves as", ["PNG", "SVG"], default="PNG", required=True, key=f"{key} camera"
        )


@functools.cache
def _source(function: Callable) -> str:
    return textwrap.dedent(inspect.getsource(inspect.unwrap(function)))


def _table(fig: go.Figure) -> None:
    columns = figure_table(fig)
    rows = len(next(iter(columns.values()), []))
    if rows > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {rows:,} rows; the CSV has all of them.")
    st.dataframe({name: column[:MOST_ROWS] for name, column in columns.items()}, hide_index=True)


def _as_csv(columns: dict[str, list]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()
