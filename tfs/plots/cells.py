"""Cells of a query and a key: what figures of patterns, scores and contributions have in common."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tfs.plots.draft import Draft
from tfs.plots.theme import KEY, MASKED, QUERY
from tfs.plots.tokens import check_length, token_axis, visible
from tfs.plots.twin import HIDDEN, described

QUERY_AND_KEY = "query %{y:d}  %{y}<br>key %{x:d}  %{x}"
SQUARE = {"constrain": "domain", "title_standoff": 8}


def add_cells(
    fig: Draft,
    cells: dict,
    tokens: Sequence[str],
    query_tokens: Sequence[str],
    keys_as_rows: bool,
) -> None:
    """Cells [query_pos key_pos] as they are, or turned so that keys run downward."""
    if keys_as_rows:
        turned = "query %{x:d}  %{x}<br>key %{y:d}  %{y}"
        hover = cells["hovertemplate"].replace(QUERY_AND_KEY, turned)
        cells = cells | {"z": cells["z"].T, "hovertemplate": hover}
        label_axes(fig, cells["z"], query_tokens, tokens, names=("key", "query"))
    else:
        label_axes(fig, cells["z"], tokens, query_tokens)
    fig.add_trace(cells)


def pattern_cells(pattern: np.ndarray, name: str) -> dict:
    hover = f"%{{fullData.name}}<br>{QUERY_AND_KEY}<br>weight %{{z:.4f}}<extra></extra>"
    cells = {"type": "heatmap", "z": pattern, "coloraxis": "coloraxis"}
    return cells | {"name": name, "hovertemplate": hover}


def closed_cells(closed: np.ndarray, what: str) -> dict:
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


def label_axes(
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


def cells_height(cells: np.ndarray) -> int:
    return int(np.clip(110 + 22 * len(cells), 280, 580))


def where_there_is_a_choice(pattern: np.ndarray) -> np.ndarray:
    """The pattern without the queries that see one key only, whose weight is always 1."""
    choice = (pattern > 0).sum(-1, keepdims=True) > 1
    return np.where(choice, pattern, np.nan) if choice.any() else pattern


def largest_weight(
    pattern: np.ndarray, query_tokens: Sequence[str], key_tokens: Sequence[str]
) -> str:
    choices = where_there_is_a_choice(pattern)
    where = "" if choices is pattern else ", among queries with more than one key to see,"
    largest = largest_cell("weight", choices, query_tokens, key_tokens)
    return largest.replace("weight,", f"weight{where or ','}", 1)


def largest_cell(
    what: str, cells: np.ndarray, query_tokens: Sequence[str], key_tokens: Sequence[str]
) -> str:
    if np.isnan(cells).all():
        return f"none has a {what}"
    query, key = np.unravel_index(np.nanargmax(cells), cells.shape)
    asking, asked = visible(query_tokens[query]), visible(key_tokens[key])
    from_to = f"query {query} '{asking}' to key {key} '{asked}'"
    return f"the largest {what}, {cells[query, key]:.2f}, is from {from_to}"


def described_cells(
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
