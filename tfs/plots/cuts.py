"""One text, cut in several ways: a row of pieces for each, in step with its bytes; equal pieces."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.cells import SQUARE, cells_height
from tfs.plots.theme import DISCRETE, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, token_label, visible
from tfs.plots.twin import described

TONES = ("#1f6fa8", "#174f78")  # neighbours differ; white can be read on both
MARK = "#b34700"  # of a new piece, whose text is bold besides
ROW, FURNITURE = 30, 64  # pixels: a row, and what the axis and its title take below all rows
LINE = 24  # bytes in a row on which letters of FONT pixels still fit on a phone
MOST_LINES = 8  # of a longer text the lines are longer
FONT = 12
LETTERS = 1.4  # of FONT pixels, for each of LINE bytes on a phone


def cut_rows(
    rows: Sequence[Sequence[bytes]],
    texts: Sequence[Sequence[str]],
    names: Sequence[str],
    *,
    marked: tuple[int, int] | None = None,
    title: str = "",
    in_lines: bool = False,
) -> go.Figure:
    """Pieces as bars end to end, each as wide as it has bytes; the first row is at the top.

    texts: what is written on each piece; one that is too narrow says it on hover. marked: the row
    and place of a piece that is new, in another colour and in bold. in_lines: a long text goes on
    below, all rows of a line together, after a byte where every row has a cut. Raises ValueError
    where there is not a text for each piece, or a name for each row.
    """
    check_length("cut", len(rows), names, "names")
    lines = line_starts(rows) if in_lines else [0]
    width = max((sum(map(len, pieces)) for pieces in rows), default=1)
    longest = max(end - start for start, end in pairwise([*lines, width]))
    block = len(rows) + 1  # the rows of a line, and room before the next
    labels = [*names, ""] * (len(lines) - 1) + [*names]
    fig = new_figure(FURNITURE + ROW * len(labels), title)
    for row, pieces in enumerate(rows):
        check_length("row", len(pieces), texts[row], "texts")
        starts = list(accumulate(map(len, pieces), initial=0))[: len(pieces)]
        line = [bisect_right(lines, start) - 1 for start in starts]
        new = [(row, place) == marked for place in range(len(pieces))]
        fig.add_bar(
            **_bars(pieces, texts[row], new, longest),
            y=[at * block + row for at in line],
            base=[start - lines[at] for start, at in zip(starts, line, strict=True)],
            name=escaped(names[row]),
        )
    fig.update_layout(barmode="overlay", showlegend=False)
    if longest > LINE:  # how many letters find room is for the screen to say
        fig.update_layout(uniformtext={"minsize": FONT - 2, "mode": "hide"})
    fig.update_xaxes(title_text="bytes", title_standoff=8, range=[0, longest], showgrid=False)
    axis = label_axis([escaped(name) for name in labels], most=len(labels), from_top=True)
    fig.update_yaxes(axis)
    lengths = [f"{name} {len(pieces)}" for name, pieces in zip(names, rows, strict=True)]
    alt = f"{width} bytes, cut into pieces; number of pieces: {', '.join(lengths)}."
    if marked is not None:
        alt += f" New is '{visible(texts[marked[0]][marked[1]])}'."
    tokens = [text for row in texts for text in row]
    columns = {"y_labels": ("cut", labels), "rows": ("piece", tokens)}
    return described(fig, alt, x="bytes", y="", **columns)


def equal_tokens(
    equal: Bool[Array, "row column"], tokens: Sequence[str], *, title: str = ""
) -> go.Figure:
    """Filled where two positions of a prompt hold the same token, as each does with itself.

    Raises ValueError where tokens and positions differ in number.
    """
    equal = to_numpy(equal)
    check_length("row", len(equal), tokens)
    fig = new_figure(cells_height(equal), title)
    fig.add_heatmap(
        z=equal.astype(np.uint8),
        colorscale=[[0, "rgba(0, 0, 0, 0)"], [1, DISCRETE[0]]],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="position %{y:d}  %{y}<br>position %{x:d}  %{x}<br>"
        "1 same token, 0 not: %{z}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    fig.update_xaxes(token_axis(tokens) | SQUARE, tickangle=-90, constraintoward="left")
    fig.update_yaxes(token_axis(tokens, from_top=True) | SQUARE, scaleanchor="x")
    fig.update_yaxes(constraintoward="top")
    pairs = int(np.triu(equal, 1).sum())
    alt = f"{len(tokens)} positions, {len(np.unique(equal, axis=0))} different tokens; pairs of "
    alt += f"positions that hold the same one: {pairs}."
    labels = {"y_labels": ("row token", tokens), "x_labels": ("column token", tokens)}
    return described(fig, alt, x="column", y="row", value="same token", **labels)


def line_starts(rows: Sequence[Sequence[bytes]]) -> list[int]:
    """The bytes at which lines begin; each is as full as it can be, with at most LINE bytes.

    A line ends only where every row has a cut; one that has no such place in time is longer, and so
    are all lines of a text that would need more than about MOST_LINES.
    """
    cuts = [set(accumulate(map(len, pieces))) for pieces in rows]
    common = sorted(set.intersection(*cuts)) if cuts else []
    most = max(LINE, -(-common[-1] // MOST_LINES)) if common else LINE
    starts, before = [0], 0
    for cut in common:
        if cut - starts[-1] > most and before > starts[-1]:
            starts.append(before)
        before = cut
    return starts


def _bars(
    pieces: Sequence[bytes], texts: Sequence[str], new: Sequence[bool], longest: int
) -> dict[str, Any]:
    """How the pieces of a row look: as wide as their bytes, with a text where it finds room.

    With at most LINE bytes to a row it can be told from here which texts fit on a phone; with more
    of them the screen has to say.
    """
    known = longest <= LINE
    room = [LETTERS * len(piece) * LINE / longest for piece in pieces]
    fits = [not known or len(visible(t, 20)) <= r for t, r in zip(texts, room, strict=True)]
    written = [token_label(text, 20) for text in texts]
    colours = [MARK if is_new else TONES[i % 2] for i, is_new in enumerate(new)]
    weights = ["bold" if is_new else "normal" for is_new in new]
    return {
        "x": [len(piece) for piece in pieces],
        "width": 0.8,
        "orientation": "h",
        "marker": {"color": colours, "line": {"width": 0}, "cornerradius": 3},
        "text": [text if fit else "" for text, fit in zip(written, fits, strict=True)],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "none" if known else "inside",
        "textfont": {"color": "white", "size": FONT, "weight": weights},
        "hovertext": written,
        "customdata": [piece.hex(" ") for piece in pieces],
        "hovertemplate": "%{hovertext}<br>bytes %{customdata}<extra>%{fullData.name}</extra>",
    }
