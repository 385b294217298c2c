"""Vectors in space: points in three of their dimensions, and who lies nearest to one of them."""

from collections.abc import Sequence

import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.embeddings import component_names, points_in_words, ring, short_names
from tfs.plots.theme import DISCRETE, REFERENCE, new_figure
from tfs.plots.tokens import check_length, label_axis, token_label, visible
from tfs.plots.twin import HIDDEN, described

FEW_POINTS = 60
FAINT = "#a0a0a0"  # the plane behind is not drawn, so its lines have to be seen on any page


def scatter_3d(
    points: Float[Array, "token 3"],
    labels: Sequence[str],
    *,
    explained: Sequence[Number] | Float[Array, " component"] | None = None,
    highlight: Sequence[int] = (),
    lock: int | None = None,
    path: bool = False,
    what: str = "token",
    title: str = "",
) -> go.Figure:
    """Tokens as points in space, to be turned with the mouse; a unit is equally long on all axes.

    explained, highlight, lock, path and what are those of `scatter_2d`. Raises ValueError where
    points and labels differ in number.
    """
    points = to_numpy(points)
    check_length("token", len(points), labels)
    fig = new_figure(520, title)
    all_rows, marked = list(range(len(points))), sorted(set(highlight))
    shows_all_labels = len(points) <= FEW_POINTS and not marked
    layers = [(all_rows, DISCRETE[0], 3 if marked else 4, shows_all_labels)]
    if marked:
        layers.append((marked, DISCRETE[1], 5, True))
    for rows, colour, size, shows_text in layers:
        mode = "markers+text" if shows_text else "markers"
        fig.add_scatter3d(
            x=points[rows, 0],
            y=points[rows, 1],
            z=points[rows, 2],
            text=[token_label(labels[row]) for row in rows],
            mode=mode + "+lines" if path and rows is all_rows else mode,
            textfont={"size": 11},
            line={"color": REFERENCE, "width": 1},
            showlegend=False,
            marker={"color": colour, "size": size, "opacity": 0.6 if rows is not marked else 1},
            hovertemplate="%{text}<br>%{x:.3f}, %{y:.3f}, %{z:.3f}<extra></extra>",
            meta=HIDDEN if rows is marked else None,
        )
    if lock is not None:
        x, y, z = points[[lock]].T
        fig.add_scatter3d(x=x, y=y, z=z, **ring(labels[lock], 12))
    names = component_names(3, explained)
    look = {"showgrid": True, "gridcolor": FAINT, "showline": True, "linecolor": FAINT}
    look |= {"showbackground": False, "zerolinecolor": FAINT, "nticks": 5}
    titles = zip("xyz", short_names(names), strict=True)
    axes = {f"{axis}axis": look | {"title": {"text": name}} for axis, name in titles}
    from_afar = {"eye": {"x": 1.5, "y": 1.5, "z": 0.9}, "center": {"x": 0, "y": 0, "z": -0.1}}
    scene = {"aspectmode": "data", "dragmode": "turntable", "camera": from_afar}
    fig.update_layout(scene=axes | scene)
    alt = points_in_words(points, labels, what, explained, lock)
    return described(fig, alt, x=names[0], y=names[1], value=names[2], rows=(what, labels))


def neighbour_bars(
    cosines: Float[Array, " neighbour"], tokens: Sequence[str], *, of: str, title: str = ""
) -> go.Figure:
    """How nearly the vectors of these tokens point the way of one token's, in the given order.

    of: that token. Raises ValueError where cosines and tokens differ in number.
    """
    cosines = to_numpy(cosines)
    check_length("neighbour", len(cosines), tokens)
    fig = new_figure(50 + 24 * len(cosines), title)
    fig.add_bar(
        x=cosines,
        y=list(range(len(cosines))),
        orientation="h",
        marker={"color": DISCRETE[0]},
        text=[f"{cosine:.3f}" for cosine in cosines],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>cosine similarity %{x:.4f}<extra></extra>",
    )
    low = -1.12 if len(cosines) and cosines.min() < 0 else 0
    fig.update_xaxes(range=[low, 1.12], title_text="cosine similarity", title_standoff=8)
    fig.update_yaxes(label_axis([token_label(t) for t in tokens], most=64, from_top=True))
    fig.update_layout(bargap=0.25)
    alt = f"The {len(cosines)} nearest neighbours of '{visible(of)}'"
    if len(cosines):
        nearest = int(cosines.argmax())
        alt += f"; the nearest is '{visible(tokens[nearest])}' with {cosines[nearest]:.3f}"
    return described(
        fig, alt + ".", x="cosine similarity", y="", y_labels=("neighbour", list(tokens))
    )
