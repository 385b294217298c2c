"""What a figure says, in words and in rows, for whoever does not see it.

Every function of tfs.plots ends in `described(fig, alt, ...)`, which keeps two things in
fig.layout.meta, where they survive copies, pickles and JSON:

alt    one sentence of facts, computed from the data that was drawn
table  the names of the columns, and the labels behind integer positions

    figure_alt(fig)    -> "Attention of L0H1 on 16 tokens; the largest weight, 0.93, is ..."
    figure_table(fig)  -> {"query": [0, 0, ...], "query token": ["a", "a", ...], "weight": [...]}

The numbers of the table are not stored a second time: they are read back from the traces, so the
table cannot differ from the picture. Traces marked HIDDEN (grey cells over masked scores) are left
out.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tfs.plots.draft import Draft

HIDDEN = "not in the table"
Labels = tuple[str, Sequence[str]]  # the name of a column, and its labels


def described(
    fig: Draft,
    alt: str,
    *,
    x: str,
    y: str,
    value: str = "",
    trace: str = "",
    x_labels: Labels | None = None,
    y_labels: Labels | None = None,
    rows: Labels | None = None,
    columns: Mapping[str, Sequence] | None = None,
) -> go.Figure:
    """The figure, with its alt text and the names of its table's columns.

    x, y: what the places on the axes are called; "" leaves a column out. value: a heatmap's cells,
    or a third axis.
    trace: what a trace's name is ("head"). x_labels, y_labels: one more column each, with a label
    for every integer place. rows: one more column, with a label for every row of the table, before
    the others; columns: more of them, after the others.
    """
    labels = {"x_labels": x_labels, "y_labels": y_labels, "rows": rows}
    table: dict[str, Any] = {"x": x, "y": y, "value": value, "trace": trace}
    table |= {n: [pair[0], list(pair[1])] for n, pair in labels.items() if pair is not None}
    if columns:
        table["columns"] = [[name, list(values)] for name, values in columns.items()]
    return fig.finished({"alt": alt, "table": table})


def figure_alt(fig: go.Figure) -> str:
    """One sentence that says what the figure shows."""
    return fig.layout.meta["alt"]


def figure_table(fig: go.Figure) -> dict[str, list]:
    """The numbers behind the figure: columns of equal length, a row for each cell, point or bar."""
    names = fig.layout.meta["table"]
    columns: dict[str, list] = {}
    if "rows" in names:
        columns[names["rows"][0]] = list(names["rows"][1])
    for trace in fig.data:
        if trace.meta != HIDDEN:
            for name, column in _columns_of(trace, names).items():
                columns.setdefault(name, []).extend(np.asarray(column).tolist())
    return columns | {name: list(values) for name, values in names.get("columns", [])}


def _columns_of(trace: Any, names: Mapping) -> dict[str, Any]:
    """The columns that one trace adds. Of a heatmap, each cell is a row, read line by line."""
    if trace.type == "heatmap":
        cells = numbers(trace.z)
        y, x = (index.ravel() for index in np.indices(cells.shape))
        values = {names["value"]: cells.ravel()}
    else:
        x, y, values = numbers(trace.x), numbers(trace.y), {}
        if trace.type == "scatter3d":
            values = {names["value"]: numbers(trace.z)}
    columns: dict[str, Any] = {}
    if names["trace"]:
        columns[names["trace"]] = [trace.name] * len(x)
    rows_first = trace.type == "heatmap" or "y_labels" in names
    for axis in ("y", "x") if rows_first else ("x", "y"):
        places = {"x": x, "y": y}[axis]
        if names[axis]:
            columns[names[axis]] = places
        if f"{axis}_labels" in names:
            title, labels = names[f"{axis}_labels"]
            columns[title] = [labels[int(place)] for place in places]
    return columns | values


def numbers(values: Any) -> np.ndarray:
    """A trace's values as an array, also where a pickle or JSON has turned them into base64."""
    if not isinstance(values, Mapping):
        return np.asarray(values)
    flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
    shape = str(values.get("shape", len(flat))).split(",")
    return flat.reshape([int(size) for size in shape])
