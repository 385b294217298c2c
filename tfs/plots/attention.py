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
from tfs.plots.cells import (
    QUERY_AND_KEY,
    add_cells,
    cells_height,
    closed_cells,
    described_cells,
    label_axes,
    largest_cell,
    largest_weight,
    pattern_cells,
    where_there_is_a_choice,
)
from tfs.plots.theme import (
    DISCRETE,
    DIVERGING,
    SEQUENTIAL,
    add_colour_bar,
    new_figure,
)
from tfs.plots.tokens import check_length, escaped, token_axis

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
        cells = pattern_cells(patterns[layer, head], name)
        panels.append(cells | {"xaxis": f"x{axis}", "yaxis": f"y{axis}"})
    for cells in panels:
        fig.add_trace(cells)
    fig.update_layout(axes | {"annotations": names})
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "weight")
    largest = max(panels, key=lambda cells: np.nanmax(where_there_is_a_choice(cells["z"])))
    alt = f"Attention of {len(panels)} heads in {n_layers} layers on {len(tokens)} tokens. In "
    alt += f"{largest['name']}, {largest_weight(largest['z'], query_tokens, tokens)}."
    return described_cells(fig, alt, "weight", query_tokens, tokens)


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
    fig = new_figure(cells_height(pattern), title, colour_bar=True)
    cells = pattern_cells(pattern, escaped(title or "this head"))
    add_cells(fig, cells, tokens, query_tokens, keys_as_rows)
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "weight")
    alt = f"Attention of {title or 'one head'} on {len(tokens)} tokens; "
    alt += f"{largest_weight(pattern, query_tokens, tokens)}."
    return described_cells(fig, alt, "weight", query_tokens, tokens, keys_as_rows)


def attention_contributions(
    contributions: Float[Array, "query_pos key_pos"],
    tokens: Sequence[str],
    *,
    query_tokens: Sequence[str] | None = None,
    keys_as_rows: bool = False,
    title: str = "",
) -> go.Figure:
    """The length of what each key adds at each query: 0 is dark, the longest is the brightest.

    keys_as_rows turns the picture. Raises ValueError where tokens and positions differ in number.
    """
    lengths = to_numpy(contributions)
    query_tokens = tokens if query_tokens is None else query_tokens
    fig = new_figure(cells_height(lengths), title, colour_bar=True)
    hover = QUERY_AND_KEY + "<br>length %{z:.4f}<extra></extra>"
    cells = {"type": "heatmap", "z": lengths, "coloraxis": "coloraxis", "hovertemplate": hover}
    add_cells(fig, cells, tokens, query_tokens, keys_as_rows)
    add_colour_bar(fig, SEQUENTIAL, 0, float(lengths.max(initial=0)) or 1.0, "length")
    alt = f"Contributions of {title or 'one head'} on {len(tokens)} tokens; "
    alt += f"{largest_cell('length', lengths, query_tokens, tokens)}."
    return described_cells(fig, alt, "length", query_tokens, tokens, keys_as_rows)


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
    fig = new_figure(cells_height(scores), title, colour_bar=True)
    query_tokens = label_axes(fig, scores, tokens, query_tokens)
    hover = QUERY_AND_KEY + "<br>score %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=scores, coloraxis="coloraxis", hovertemplate=hover, hoverongaps=False)
    if closed.any():
        fig.add_trace(closed_cells(closed, "masked"))
    bound = float(np.nanmax(np.abs(seen))) if not closed.all() else 1.0
    add_colour_bar(fig, DIVERGING, -(bound or 1.0), bound or 1.0, "score")
    alt = f"Attention scores of {title or 'one head'} on {len(tokens)} tokens, "
    alt += f"{int(closed.sum())} of {scores.size} masked; "
    alt += f"{largest_cell('score', seen, query_tokens, tokens)}."
    return described_cells(fig, alt, "score", query_tokens, tokens)


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
    fig = new_figure(cells_height(mask), title)
    query_tokens = label_axes(fig, mask, tokens, query_tokens)
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
        fig.add_trace(closed_cells(~mask, "may not attend"))
    alt = f"A mask on {len(tokens)} tokens: in {int(mask.sum())} of {mask.size} pairs of query and "
    alt += "key, the query may attend."
    return described_cells(fig, alt, "may attend", query_tokens, tokens)


def _name_above(name: str, axis: str) -> dict:
    place = {"xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0, "y": 1}
    text = {"text": name, "showarrow": False, "font": {"size": 11}}
    return place | text | {"xanchor": "left", "yanchor": "bottom", "borderpad": 1}
