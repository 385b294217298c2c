"""Who looks at whom: every head at a glance, one head large, its scores, and the mask.

Queries run downward and keys to the right, so a row is one position's attention over all others and
sums to 1. A bright cell says where information is read from, not that it changes the answer: for
that, take the head away and see (Jain & Wallace 2019, "Attention is not Explanation").

In cross-attention the queries belong to another sequence than the keys: give it as query_tokens.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.draft import Draft
from tfs.plots.theme import (
    DISCRETE,
    DIVERGING,
    KEY,
    MASKED,
    QUERY,
    SEQUENTIAL,
    add_colour_bar,
    new_figure,
)
from tfs.plots.tokens import check_length, escaped, token_axis, visible
from tfs.plots.twin import HIDDEN, described

QUERY_AND_KEY = "query %{y:d}  %{y}<br>key %{x:d}  %{x}"
SQUARE = {"constrain": "domain", "title_standoff": 8}
SMALL_AXIS = {"constrain": "domain", "showticklabels": False, "labelalias": None}


def attention_grid(
    patterns: Float[Array, "layer head query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    columns: int | None = None,
    title: str = "",
) -> go.Figure:
    """All heads of all layers as small multiples: a row per layer, one colour scale from 0 to 1.

    columns: at most so many heads side by side; a layer with more goes on in the next row.
    Raises ValueError where tokens and positions differ in number.
    """
    patterns = to_numpy(patterns)
    n_layers, n_heads, query_pos, key_pos = patterns.shape
    query_tokens = tokens if query_tokens is None else query_tokens
    check_length("key_pos", key_pos, tokens)
    check_length("query_pos", query_pos, query_tokens)
    across = min(n_heads, columns or n_heads)
    per_layer = -(-n_heads // across)
    n_rows = n_layers * per_layer
    height = n_rows * int(np.clip(560 / across, 64, 140))
    key_axis = token_axis(tokens, most=key_pos) | SMALL_AXIS | {"constraintoward": "left"}
    query_axis = token_axis(query_tokens, most=query_pos, from_top=True) | SMALL_AXIS
    query_axis |= {"constraintoward": "top"}
    fig = new_figure(height + 8, title, colour_bar=True)
    panels, axes, names = [], {}, []
    for n, (layer, head) in enumerate(np.ndindex(n_layers, n_heads), start=1):
        name, axis = f"L{layer}H{head}", "" if n == 1 else str(n)
        left, top = head % across / across, 1 - (layer * per_layer + head // across) / n_rows
        width = {"domain": [left, left + 0.92 / across], "anchor": f"y{axis}"}
        below_name = {"domain": [max(0, top - 1 / n_rows), top - 20 / height], "anchor": f"x{axis}"}
        axes[f"xaxis{axis}"] = key_axis | width
        axes[f"yaxis{axis}"] = query_axis | below_name | {"scaleanchor": f"x{axis}"}
        names.append(_name_above(name, axis))
        cells = _pattern_cells(patterns[layer, head], name)
        panels.append(cells | {"xaxis": f"x{axis}", "yaxis": f"y{axis}"})
    for cells in panels:
        fig.add_trace(cells)
    fig.update_layout(axes | {"annotations": names})
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "weight")
    largest = max(panels, key=lambda cells: np.nanmax(_where_there_is_a_choice(cells["z"])))
    alt = f"Attention of {len(panels)} heads in {n_layers} layers on {len(tokens)} tokens. In "
    alt += f"{largest['name']}, {_largest_weight(largest['z'], query_tokens, tokens)}."
    return _described(fig, alt, "weight", query_tokens, tokens)


def attention_pattern(
    pattern: Float[Array, "query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    keys_as_rows: bool = False,
    title: str = "",
) -> go.Figure:
    """One head's pattern, large: how much each query attends to each key.

    keys_as_rows turns the picture: keys downward, queries to the right. Raises ValueError where
    tokens and positions differ in number.
    """
    pattern = to_numpy(pattern)
    query_tokens = tokens if query_tokens is None else query_tokens
    check_length("query_pos", pattern.shape[-2], query_tokens)
    check_length("key_pos", pattern.shape[-1], tokens)
    fig = new_figure(_height(pattern), title, colour_bar=True)
    alt = f"Attention of {title or 'one head'} on {len(tokens)} tokens; "
    alt += f"{_largest_weight(pattern, query_tokens, tokens)}."
    cells = _pattern_cells(pattern, escaped(title or "this head"))
    if keys_as_rows:
        _label_axes(fig, pattern.T, query_tokens, tokens, names=("key", "query"))
        turned = "query %{x:d}  %{x}<br>key %{y:d}  %{y}"
        hover = cells["hovertemplate"].replace(QUERY_AND_KEY, turned)
        cells |= {"z": pattern.T, "hovertemplate": hover}
    else:
        _label_axes(fig, pattern, tokens, query_tokens)
    fig.add_trace(cells)
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "weight")
    return _described(fig, alt, "weight", query_tokens, tokens, keys_as_rows)


def attention_contributions(
    contributions: Float[Array, "query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    title: str = "",
) -> go.Figure:
    """The length of what each key adds at each query: 0 is dark, the longest is the brightest.

    Raises ValueError where tokens and positions differ in number.
    """
    lengths = to_numpy(contributions)
    fig = new_figure(_height(lengths), title, colour_bar=True)
    query_tokens = _label_axes(fig, lengths, tokens, query_tokens)
    hover = QUERY_AND_KEY + "<br>length %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=lengths, coloraxis="coloraxis", hovertemplate=hover)
    add_colour_bar(fig, SEQUENTIAL, 0, float(lengths.max(initial=0)) or 1.0, "length")
    alt = f"Contributions of {title or 'one head'} on {len(tokens)} tokens; "
    alt += f"{_largest('length', lengths, query_tokens, tokens)}."
    return _described(fig, alt, "length", query_tokens, tokens)


def attention_scores(
    scores: Float[Array, "query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    title: str = "",
) -> go.Figure:
    """Scores before the softmax, around 0; cells at -inf, which the mask closed, are grey with a ×.

    Raises ValueError where tokens and positions differ in number.
    """
    scores = to_numpy(scores)
    closed = np.isneginf(scores)
    seen = np.where(closed, np.nan, scores)
    fig = new_figure(_height(scores), title, colour_bar=True)
    query_tokens = _label_axes(fig, scores, tokens, query_tokens)
    hover = QUERY_AND_KEY + "<br>score %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=scores, coloraxis="coloraxis", hovertemplate=hover, hoverongaps=False)
    if closed.any():
        fig.add_trace(_closed_cells(closed, "masked"))
    bound = float(np.nanmax(np.abs(seen))) if not closed.all() else 1.0
    add_colour_bar(fig, DIVERGING, -(bound or 1.0), bound or 1.0, "score")
    alt = f"Attention scores of {title or 'one head'} on {len(tokens)} tokens, "
    alt += f"{int(closed.sum())} of {scores.size} masked; "
    alt += f"{_largest('score', seen, query_tokens, tokens)}."
    return _described(fig, alt, "score", query_tokens, tokens)


def attention_mask(
    mask: Bool[Array, "query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    title: str = "",
) -> go.Figure:
    """Who may look at whom: filled where mask is True, grey with a × where it is False.

    Raises ValueError where tokens and positions differ in number.
    """
    mask = to_numpy(mask)
    fig = new_figure(_height(mask), title)
    query_tokens = _label_axes(fig, mask, tokens, query_tokens)
    fig.add_heatmap(
        z=mask.astype(np.uint8),
        colorscale=[[0, "rgba(0, 0, 0, 0)"], [1, DISCRETE[0]]],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate=QUERY_AND_KEY + "<br>may attend<extra></extra>",
        xgap=1,
        ygap=1,
    )
    if not mask.all():
        fig.add_trace(_closed_cells(~mask, "may not attend"))
    alt = f"A mask on {len(tokens)} tokens: in {int(mask.sum())} of {mask.size} pairs of query and "
    alt += "key, the query may attend."
    return _described(fig, alt, "may attend", query_tokens, tokens)


def _pattern_cells(pattern: np.ndarray, name: str) -> dict:
    hover = f"%{{fullData.name}}<br>{QUERY_AND_KEY}<br>weight %{{z:.4f}}<extra></extra>"
    cells = {"type": "heatmap", "z": pattern, "coloraxis": "coloraxis"}
    return cells | {"name": name, "hovertemplate": hover}


def _closed_cells(closed: np.ndarray, what: str) -> dict:
    """Grey cells where `closed` is True; a cross in each, while there is room for one."""
    return dict(
        type="heatmap",
        z=np.where(closed, 1, np.nan),
        text=np.where(closed, "×", ""),
        texttemplate="%{text}" if len(closed) <= 24 else "",
        textfont={"color": "#808080"},
        colorscale=[MASKED, MASKED],
        showscale=False,
        hoverongaps=False,
        hovertemplate=QUERY_AND_KEY + f"<br>{what}<extra></extra>",
        xgap=1,
        ygap=1,
        meta=HIDDEN,
    )


def _label_axes(
    fig: Draft,
    cells: np.ndarray,
    tokens: Sequence[str],
    query_tokens: Sequence[str] | None,
    names: tuple[str, str] = ("query", "key"),
) -> Sequence[str]:
    """Square cells, tokens on both axes, rows downward; returns the queries' tokens.

    names: what the rows and the columns are.
    """
    query_tokens = tokens if query_tokens is None else query_tokens
    check_length(f"{names[0]}_pos", cells.shape[-2], query_tokens)
    check_length(f"{names[1]}_pos", cells.shape[-1], tokens)
    colours = {"query": QUERY, "key": KEY}
    down, across = ({"title_text": n, "title_font_color": colours[n]} for n in names)
    fig.update_xaxes(token_axis(tokens) | SQUARE | across, tickangle=-90, constraintoward="left")
    fig.update_yaxes(token_axis(query_tokens, from_top=True) | SQUARE | down)
    fig.update_yaxes(scaleanchor="x", constraintoward="top")
    return query_tokens


def _name_above(name: str, axis: str) -> dict:
    place = {"xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0, "y": 1}
    text = {"text": name, "showarrow": False, "font": {"size": 11}}
    return place | text | {"xanchor": "left", "yanchor": "bottom", "borderpad": 1}


def _height(cells: np.ndarray) -> int:
    return int(np.clip(110 + 22 * len(cells), 280, 580))


def _where_there_is_a_choice(pattern: np.ndarray) -> np.ndarray:
    """The pattern without the queries that see one key only, whose weight is always 1."""
    choice = (pattern > 0).sum(-1, keepdims=True) > 1
    return np.where(choice, pattern, np.nan) if choice.any() else pattern


def _largest_weight(
    pattern: np.ndarray, query_tokens: Sequence[str], key_tokens: Sequence[str]
) -> str:
    choices = _where_there_is_a_choice(pattern)
    where = "" if choices is pattern else ", among queries with more than one key to see,"
    largest = _largest("weight", choices, query_tokens, key_tokens)
    return largest.replace("weight,", f"weight{where or ','}", 1)


def _largest(
    what: str, cells: np.ndarray, query_tokens: Sequence[str], key_tokens: Sequence[str]
) -> str:
    if np.isnan(cells).all():
        return f"none has a {what}"
    query, key = np.unravel_index(np.nanargmax(cells), cells.shape)
    asking, asked = visible(query_tokens[query]), visible(key_tokens[key])
    from_to = f"query {query} '{asking}' to key {key} '{asked}'"
    return f"the largest {what}, {cells[query, key]:.2f}, is from {from_to}"


def _described(
    fig: Draft,
    alt: str,
    value: str,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str],
    keys_as_rows: bool = False,
) -> go.Figure:
    query, key = ("query token", query_tokens), ("key token", key_tokens)
    return described(
        fig,
        alt,
        x="query" if keys_as_rows else "key",
        y="key" if keys_as_rows else "query",
        value=value,
        trace="head" if value == "weight" else "",
        x_labels=query if keys_as_rows else key,
        y_labels=key if keys_as_rows else query,
    )
