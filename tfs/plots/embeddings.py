"""Vectors as pictures: points in two of their dimensions, their similarities, their entries."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.theme import DISCRETE, DIVERGING, REFERENCE, WIDTHS, add_colour_bar, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, token_label, visible
from tfs.plots.twin import HIDDEN, described

FEW_POINTS = 120
LABEL_AREA = (640, 400)  # pixels for the points of a figure, give or take
LABEL_SIDES = [
    ("top center", 0, 1),
    ("bottom center", 0, -1),
    ("middle right", 1, 0),
    ("middle left", -1, 0),
]
MOST_TO_COMPARE = 2000  # every pair of points is looked at for the closest


def scatter_2d(
    points: Float[Array, "token 2"],
    labels: Sequence[str],
    *,
    explained: Sequence[Number] | Float[Array, " component"] | None = None,
    highlight: Sequence[int] = (),
    lock: int | None = None,
    path: bool = False,
    arrows: Sequence[tuple[int, int]] = (),
    what: str = "token",
    title: str = "",
) -> go.Figure:
    """Tokens as points; one unit is equally long on both axes.

    explained: the share of the variance on each axis, as `tfs.interp.pca` returns it; what is
    missing to 1 cannot be seen here. highlight: rows to draw on top, with their labels; where there
    are few points, all have labels. lock: a row with a ring around it. path: a line joins the rows
    in their order. arrows: from a row to a row. what: what a point is. Raises ValueError where
    points and labels differ in number.
    """
    points = to_numpy(points)
    check_length("token", len(points), labels)
    fig = new_figure(460, title)
    all_rows, marked = list(range(len(points))), sorted(set(highlight))
    layers = [(all_rows, DISCRETE[0], 5 if marked else 7, len(points) <= FEW_POINTS and not marked)]
    if marked:
        layers.append((marked, DISCRETE[1], 9, True))
    for rows, colour, size, shows_text in layers:
        mode = "markers+text" if shows_text else "markers"
        words = [token_label(labels[row]) for row in rows]
        places, shown = label_places(points, points[rows], words) if shows_text else (None, None)
        fig.add_scatter(
            x=points[rows, 0],
            y=points[rows, 1],
            text=shown,
            hovertext=words,
            mode=mode + "+lines" if path and rows is all_rows else mode,
            line={"color": REFERENCE, "width": 1},
            textposition=places,
            textfont={"size": 11},
            cliponaxis=False,
            showlegend=False,
            marker={"color": colour, "size": size, "opacity": 0.5 if size == 5 else 1},
            hovertemplate="%{hovertext}<br>%{x:.3f}, %{y:.3f}<extra></extra>",
            meta=HIDDEN if rows is marked else None,
        )
    if lock is not None:
        fig.add_scatter(x=points[[lock], 0], y=points[[lock], 1], **ring(labels[lock], 20))
    for start, end in arrows:
        fig.add_annotation(arrow(points[start], points[end]))
    names = component_names(2, explained)
    fig.update_xaxes(title_text=names[0])
    fig.update_yaxes(title_text=names[1], scaleanchor="x")
    alt = points_in_words(points, labels, what, explained, lock)
    return described(fig, alt, x=names[0], y=names[1], rows=(what, labels))


def label_places(
    everyone: np.ndarray, points: np.ndarray, words: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Where each label stands beside its point, and the labels; "" where it would cover another.

    everyone: all points of the figure, which set its scale. One label after the other takes the
    first free side. Sizes are those of a figure of medium width.
    """
    extent = np.ptp(everyone, axis=0).clip(1e-9) if len(everyone) else np.ones(2)
    at = points * (np.array([LABEL_AREA]) / extent).min()  # in pixels
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in at]
    places, shown = [], []
    for (x, y), word in zip(at, words, strict=True):
        half, boxes = 3.5 * len(word) + 1, {}
        for side, dx, dy in LABEL_SIDES:
            cx, cy = x + dx * (half + 7), y + dy * 13
            boxes[side] = (cx - half, cy - 6, cx + half, cy + 6)
        free = [side for side, box in boxes.items() if not _meets(box, taken)]
        places.append(free[0] if free else "top center")
        shown.append(word if free else "")
        if free:
            taken.append(boxes[free[0]])
    return places, shown


def _meets(box: tuple[float, ...], taken: Sequence[tuple[float, ...]]) -> bool:
    left, low, right, high = box
    return any(left < r and x < right and low < h and y < high for x, y, r, h in taken)


def component_names(count: int, explained: Sequence[Number] | np.ndarray | None) -> list[str]:
    """What stands on each axis: which component it is, and its share of the variance."""
    names = [f"{word} component" for word in ("first", "second", "third")[:count]]
    if explained is None:
        return names
    return [f"{n} ({s:.0%} of variance)" for n, s in zip(names, explained, strict=False)]


def short_names(names: Sequence[str]) -> list[str]:
    """The same for the end of an axis: first (12%)."""
    return [name.replace(" component", "").replace(" of variance", "") for name in names]


def points_in_words(
    points: np.ndarray,
    labels: Sequence[str],
    what: str,
    explained: Sequence[Number] | np.ndarray | None,
    lock: int | None,
) -> str:
    """An alt text: how many, the variance on the axes, the closest two, and who has the ring."""
    axes = {2: "two", 3: "three"}[points.shape[1]]
    alt = f"{len(points)} {what}s as points on {axes} axes"
    if explained is not None:
        share = sum(list(explained)[: points.shape[1]])
        alt += f", which hold {share:.0%} of the variance"
    if 1 < len(points) <= MOST_TO_COMPARE:
        gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
        np.fill_diagonal(gaps, np.inf)
        a, b = np.unravel_index(gaps.argmin(), gaps.shape)
        alt += f"; the closest pair is '{visible(labels[a])}' and '{visible(labels[b])}'"
    if lock is not None:
        alt += f"; a ring is around '{visible(labels[lock])}'"
    return alt + "."


def arrow(start: np.ndarray, end: np.ndarray) -> dict:
    """An annotation without words that leads from one point [2] to another."""
    (ax, ay), (x, y) = start.tolist(), end.tolist()
    ends = {"ax": ax, "ay": ay, "x": x, "y": y}
    places = {"axref": "x", "ayref": "y", "xref": "x", "yref": "y", "standoff": 5}
    return ends | places | {"text": "", "arrowcolor": REFERENCE, "arrowwidth": 1, "arrowhead": 2}


def ring(label: str, size: int) -> dict:
    """What a trace of one point needs to be a ring around it; no row of the figure's table."""
    return {
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": size,
            "color": DISCRETE[1],
            "line": {"width": 3, "color": DISCRETE[1]},
        },
        "hovertext": [token_label(label)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
        "meta": HIDDEN,
    }


def similarity_matrix(
    matrix: Float[Array, "row column"],
    tokens: Sequence[str],
    *,
    column_tokens: Sequence[str] | None = None,
    title: str = "",
) -> go.Figure:
    """Cosine similarities, from -1 (opposite) over 0 (unrelated) to 1 (same direction).

    Raises ValueError where tokens and rows or columns differ in number.
    """
    matrix = to_numpy(matrix)
    column_tokens = tokens if column_tokens is None else column_tokens
    check_length("row", matrix.shape[0], tokens)
    check_length("column", matrix.shape[1], column_tokens)
    fig = new_figure(int(np.clip(90 + 20 * len(matrix), 280, 580)), title, colour_bar=True)
    hover = "row %{y:d}  %{y}<br>column %{x:d}  %{x}<br>similarity %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=matrix, coloraxis="coloraxis", hovertemplate=hover)
    fig.update_xaxes(token_axis(column_tokens), tickangle=-90)
    fig.update_xaxes(constrain="domain", constraintoward="left")
    fig.update_yaxes(token_axis(tokens, from_top=True), scaleanchor="x")
    fig.update_yaxes(constrain="domain", constraintoward="top")
    add_colour_bar(fig, DIVERGING, -1, 1, "cosine similarity")
    alt = f"Cosine similarity of {len(tokens)} with {len(column_tokens)} tokens"
    apart = np.where(np.eye(*matrix.shape, dtype=bool), -np.inf, matrix)
    if column_tokens is tokens and np.isfinite(apart).any():
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        alt += f"; the most similar two are '{visible(tokens[row])}' and "
        alt += f"'{visible(tokens[column])}' with {apart[row, column]:.2f}"
    return described(
        fig,
        alt + ".",
        x="column",
        y="row",
        value="similarity",
        x_labels=("column token", column_tokens),
        y_labels=("row token", tokens),
    )


def vector_strip(
    vectors: Float[Array, "row entry"],
    row_labels: Sequence[str],
    *,
    axis: str = "d_model",
    title: str = "",
) -> go.Figure:
    """Vectors as strips, one below the other: each entry a cell, 0 dark, large entries bright.

    axis: the word for the entries, such as "d_head", in its colour if it has one. Raises ValueError
    where rows and labels differ in number.
    """
    vectors = to_numpy(vectors)
    n_rows, entries = vectors.shape
    check_length("row", n_rows, row_labels, "row labels")
    fig = new_figure(int(np.clip(40 + 24 * n_rows, 90, 620)), title, colour_bar=True)
    hover = f"%{{y}}<br>{axis} %{{x}}: %{{z:.4f}}<extra></extra>"
    fig.add_heatmap(z=vectors, coloraxis="coloraxis", hovertemplate=hover, ygap=2)
    fig.update_xaxes(title_text=axis, title_font_color=WIDTHS.get(axis))
    fig.update_xaxes(title_standoff=8, showgrid=False)
    fig.update_yaxes(label_axis([escaped(label) for label in row_labels], from_top=True))
    bound = float(np.nanmax(np.abs(vectors))) or 1.0
    add_colour_bar(fig, DIVERGING, -bound, bound, "value")
    row, entry = np.unravel_index(np.nanargmax(np.abs(vectors)), vectors.shape)
    alt = f"{n_rows} vectors of {entries} entries; the largest in size, "
    alt += f"{vectors[row, entry]:.2f}, is {axis} {entry} of '{row_labels[row]}'."
    labels = ("vector", row_labels)
    return described(fig, alt, x=axis, y="", value="value", y_labels=labels)
