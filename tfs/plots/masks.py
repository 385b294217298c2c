"""A mask while it is being built, what softmax makes of closed cells, and what masks cost."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.bar_numbers import bar_numbers, range_with_room
from tfs.plots.theme import (
    DASHES,
    DISCRETE,
    GRID,
    KEY,
    MASKED,
    NEGATIVE,
    POSITIVE,
    QUERY,
    REFERENCE,
    new_figure,
)
from tfs.plots.tokens import check_length, escaped, token_axis, visible
from tfs.plots.twin import described

PANEL_HEIGHT = 120  # pixels of one of three panels
CROSSES_UP_TO = 48  # positions: beyond, a cell has no room for one
SYMBOLS = ["circle", "diamond", "square", "x"]
QUERY_AND_KEY = "query %{y:d}  %{y}<br>key %{x:d}  %{x}"


def mask_cells(
    mask: Bool[Array, "query_pos key_pos"], tokens: Sequence[str], *, cells: int, title: str = ""
) -> go.Figure:
    """The first `cells` cells of a mask, row by row: filled where the query may attend, else a ×.

    The last of them has a frame; those after it are empty, and have no number. Raises ValueError
    where tokens and positions differ in number, and for more cells than there are.
    """
    mask = to_numpy(mask)
    check_length("key_pos", mask.shape[1], tokens)
    if not 0 <= cells <= mask.size:
        raise ValueError(f"cells must lie in 0 ... {mask.size}, not {cells}")
    decided = np.where(np.arange(mask.size) < cells, mask.ravel(), np.nan).reshape(mask.shape)
    fig = new_figure(int(np.clip(110 + 22 * len(mask), 280, 580)), title)
    room = len(mask) <= CROSSES_UP_TO
    fig.add_heatmap(
        z=decided.astype(np.float32),
        colorscale=[[0, MASKED], [1, DISCRETE[0]]],
        zmin=0,
        zmax=1,
        showscale=False,
        text=np.where(decided == 0, "×", "") if room else None,
        texttemplate="%{text}" if room else None,
        textfont={"color": "#808080", "size": 10},
        hoverongaps=False,
        hovertemplate=QUERY_AND_KEY + "<br>1 open, 0 closed: %{z}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    square = {"constrain": "domain", "title_standoff": 8}
    across, down = {"title_font_color": KEY}, {"title_font_color": QUERY}
    fig.update_xaxes(token_axis(tokens) | square | across, title_text="key", tickangle=-90)
    fig.update_xaxes(constraintoward="left")
    fig.update_yaxes(token_axis(tokens, from_top=True) | square | down, title_text="query")
    fig.update_yaxes(scaleanchor="x", constraintoward="top")
    fig.update_layout({f"{a}axis.{k}": True for a in "xy" for k in ("showline", "mirror")})
    if 0 < cells < mask.size:
        row, column = divmod(cells - 1, mask.shape[1])
        frame = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        fig.add_shape(frame, type="rect", line={"color": DISCRETE[1], "width": 3})
    opened = int(mask.ravel()[:cells].sum())
    alt = f"A mask on {len(tokens)} tokens, {cells} of its {mask.size} cells decided: {opened} "
    alt += f"open, {cells - opened} closed."
    labels = {"x_labels": ("key token", list(tokens)), "y_labels": ("query token", list(tokens))}
    return described(fig, alt, x="key", y="query", value="may attend", **labels)


def softmax_steps(
    scores: Float[Array, " key_pos"],
    exps: Float[Array, " key_pos"],
    weights: Float[Array, " key_pos"],
    tokens: Sequence[str],
    *,
    title: str = "",
) -> go.Figure:
    """One query's masked scores, their exponentials and the weights, one panel below the other.

    Keys whose score is -inf are closed: they stand on grey, neighbours under one sign, and have no
    bar in any panel. Raises ValueError where tokens and keys differ in number.
    """
    panels = {"score": to_numpy(scores), "exp": to_numpy(exps), "weight": to_numpy(weights)}
    closed = np.isneginf(panels["score"])
    fig = new_figure(520, title)
    for i, (name, values) in enumerate(panels.items()):
        check_length("key_pos", len(values), tokens)
        axis = "y" if i == 0 else f"y{i + 1}"
        fig.add_bar(
            x=list(range(len(values))),
            y=values,
            yaxis=axis,
            name=name,
            marker={"color": _colours(name, values)},
            **bar_numbers(_written(values)),
            hovertemplate=f"key %{{x:d}}  %{{x}}<br>{name} %{{y:.4f}}<extra></extra>",
        )
        fig.layout[f"{axis[0]}axis{axis[1:]}"] = _panel(name, values, top=1 - i * 0.36)
    keys = {"title_text": "key", "title_font_color": KEY, "tickangle": -90, "anchor": "y3"}
    fig.update_xaxes(token_axis(tokens) | keys)
    fig.update_layout(showlegend=False, bargap=0.25)
    for first, last in _runs(closed):
        band = {"x0": first - 0.5, "x1": last + 0.5, "y0": 0, "y1": 1, "yref": "paper"}
        fig.add_shape(band, type="rect", fillcolor=GRID, line={"width": 0}, layer="below")
        middle = {"x": (first + last) / 2, "y": 0, "yanchor": "bottom"}
        fig.add_annotation(middle, text="−∞", showarrow=False)
    alt = f"Softmax of one query over {len(tokens)} keys, {int(closed.sum())} of them closed"
    if not closed.all():
        most = int(panels["weight"].argmax())
        alt += f"; the largest weight, {panels['weight'][most]:.3f}, is on key {most} "
        alt += f"'{visible(tokens[most])}'"
    labels = ("key token", list(tokens))
    return described(fig, alt + ".", x="key", y="value", trace="step", x_labels=labels)


def loss_by_mask(
    losses: Mapping[str, Float[Array, " predicted_pos"]],
    tokens: Sequence[str],
    *,
    blind: Number | None = None,
    title: str = "",
) -> go.Figure:
    """The loss of predicting each token but the first, a line for each mask.

    blind: the loss of a uniform guess, a dashed level. A NaN leaves a gap. Raises ValueError where
    there is not one loss for each token but the first.
    """
    fig = new_figure(340, title)
    alt = []
    for i, (name, loss) in enumerate(losses.items()):
        loss = to_numpy(loss)
        check_length("predicted_pos", len(loss), tokens[1:], "tokens after the first")
        fig.add_scatter(
            x=list(range(1, len(tokens))),
            y=loss,
            name=escaped(name),
            mode="lines+markers",
            line={"color": DISCRETE[i], "dash": DASHES[i % len(DASHES)], "width": 1.5},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 7},
            hovertemplate="%{fullData.name}<br>token %{x:d}  %{x}<br>loss %{y:.4f}<extra></extra>",
        )
        if np.isfinite(loss).any():
            alt.append(f"{np.nanmean(loss):.3f} with {name}")
    if blind is not None:
        fig.add_hline(blind, line={"color": REFERENCE, "dash": "dash", "width": 1})
    dashed = "" if blind is None else f"<br>dashed: a blind guess, {blind:.2f} nats"
    axis = token_axis(tokens) | {"range": [0.5, len(tokens) - 0.5]}
    fig.update_xaxes(axis, title_text=f"token to predict{dashed}", tickangle=-90)
    fig.update_yaxes(title_text="loss (nats)", rangemode="tozero")
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30, hovermode="closest")
    words = (
        f"Loss of predicting {len(tokens) - 1} tokens; its mean is {', '.join(alt) or 'unknown'}."
    )
    labels = ("token to predict", list(tokens))
    return described(fig, words, x="place", y="loss", trace="mask", x_labels=labels)


def _panel(name: str, values: np.ndarray, top: float) -> dict:
    """The vertical axis of one of three panels."""
    place = {"domain": [max(0, top - 0.28), top], "title": {"text": name}, "nticks": 4}
    seen = values[np.isfinite(values)]
    low, high = float(seen.min(initial=0)), float(seen.max(initial=0))
    limits = range_with_room(low, high, len(values), PANEL_HEIGHT)
    return place | {"zeroline": True, "zerolinecolor": REFERENCE, "range": limits}


def _colours(name: str, values: np.ndarray) -> str | list[str]:
    if name != "score":
        return DISCRETE[0]
    return [POSITIVE if value >= 0 else NEGATIVE for value in values]


def _written(values: np.ndarray) -> list[str]:
    """The number over each bar; a closed score has none, and exactly 0 is written as 0."""
    return ["" if np.isneginf(v) else "0" if v == 0 else f"{v:.2f}" for v in values]


def _runs(closed: np.ndarray) -> list[tuple[int, int]]:
    """First and last place of every stretch of closed keys.

    >>> _runs(np.array([True, True, False, True]))
    [(0, 1), (3, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], closed, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]
