"""Amounts side by side: signed effects, parts of a sum, probabilities, and a growing cache."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.bar_numbers import bar_numbers, range_with_room, upward
from tfs.plots.draft import Draft
from tfs.plots.theme import DISCRETE, KEY, NEGATIVE, POSITIVE, REFERENCE, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, token_label, visible
from tfs.plots.twin import described

UPRIGHT_HEIGHT = 180  # pixels of the panel, without its labels


def signed_bars(
    values: Float[Array, " component"], labels: Sequence[str], *, x_title: str, title: str = ""
) -> go.Figure:
    """One bar per component, to the right of 0 (raises) or the left (lowers), in the given order.

    Raises ValueError where values and labels differ in number.
    """
    values = to_numpy(values)
    fig = signed_draft(values, labels, x_title=x_title, title=title)
    alt = f"{x_title}: {len(values)} components, {values.sum():+.2f} in all"
    if len(values):
        most = int(np.abs(values).argmax())
        alt += f"; the largest is {labels[most]} with {values[most]:+.2f}"
    return described(fig, alt + ".", x=x_title, y="", y_labels=("component", labels))


def signed_draft(
    values: np.ndarray, labels: Sequence[str], *, x_title: str, title: str = ""
) -> Draft:
    """The bars of `signed_bars`, for figures that say something else about them."""
    check_length("component", len(values), labels, "labels")
    fig = new_figure(50 + 24 * len(values), title)
    fig.add_bar(
        x=values,
        y=list(range(len(values))),
        orientation="h",
        marker={"color": [POSITIVE if value >= 0 else NEGATIVE for value in values]},
        text=[f"{value:+.2f}" for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{x:+.4f}<extra></extra>",
    )
    bound = float(np.abs(values).max(initial=0)) or 1.0
    low, high = min(values.min(initial=0), 0), max(values.max(initial=0), 0)
    room = 0.22 * (high - low) or bound
    fig.update_xaxes(range=[low - (room if low < 0 else 0), high + (room if high > 0 else 0)])
    fig.update_xaxes(title_text=escaped(x_title), title_standoff=8)
    fig.update_yaxes(label_axis([escaped(label) for label in labels], most=64, from_top=True))
    fig.add_vline(0, line={"color": REFERENCE, "width": 1})
    return fig.update_layout(bargap=0.25)


def stacked_terms(
    names: Sequence[str], values: Sequence[Number], unit: str, *, title: str = ""
) -> go.Figure:
    """The terms of a sum as parts of one bar, the first on the left; names and shares stand below.

    Raises ValueError where names and values differ in number.
    """
    check_length("values", len(values), names, "names")
    total = sum(values)
    shares = [value / total if total else 0.0 for value in values]
    legend_height = 19 * len(names) + 16
    fig = new_figure(48 + legend_height, title)
    for i, (name, value, share) in enumerate(zip(names, values, shares, strict=True)):
        second_time_round = "/" if i // len(DISCRETE) % 2 else ""
        fig.add_bar(
            x=[value],
            y=[0],
            orientation="h",
            name=f"{escaped(name)}  {value:,} ({share:.1%})",
            marker={
                "color": DISCRETE[i % len(DISCRETE)],
                "pattern": {"shape": second_time_round, "fillmode": "overlay", "size": 6},
                "line": {"width": 0},
            },
            hovertemplate=f"%{{fullData.name}} {escaped(unit)}<extra></extra>",
        )
    fig.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"x": 0, "y": 0, "yanchor": "top", "traceorder": "normal"},
        legend_maxheight=2 * legend_height,
        margin_b=legend_height,
        bargap=0,
    )
    fig.update_xaxes(visible=False, range=[0, total or 1])
    fig.update_yaxes(visible=False, fixedrange=True)
    alt = f"{total:,} {unit} in {len(names)} terms"
    if total:
        most = max(range(len(values)), key=lambda i: values[i])
        alt += f"; the largest is {names[most]} with {values[most]:,} ({shares[most]:.1%})"
    return described(fig, alt + ".", x=unit, y="", rows=("term", names))


def next_token_bars(
    probs: Float[Array, " token"], tokens: Sequence[str], *, title: str = ""
) -> go.Figure:
    """The probability of each of these tokens to come next, in the given order, on a scale to 1.

    Raises ValueError where probabilities and tokens differ in number.
    """
    probs = to_numpy(probs)
    check_length("token", len(probs), tokens)
    fig = new_figure(50 + 24 * len(probs), title)
    fig.add_bar(
        x=probs,
        y=list(range(len(probs))),
        orientation="h",
        marker={"color": DISCRETE[0]},
        text=[f"{p:.3f}" for p in probs],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>probability %{x:.4f}<extra></extra>",
    )
    fig.update_xaxes(range=[0, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1], title_text="probability")
    fig.update_xaxes(title_standoff=8)
    fig.update_yaxes(label_axis([token_label(t) for t in tokens], most=64, from_top=True))
    fig.update_layout(bargap=0.25)
    alt = f"The {len(probs)} tokens shown hold {probs.sum():.1%} of the probability"
    if len(probs):
        alt += f"; first is '{visible(tokens[probs.argmax()])}' with {probs.max():.3f}"
    return described(fig, alt + ".", x="probability", y="", y_labels=("token", tokens))


def key_bars(
    values: Float[Array, " key_pos"],
    tokens: Sequence[str],
    *,
    unit: str,
    lock: int | None = None,
    title: str = "",
) -> go.Figure:
    """One query's number for each key, upward; a key at -inf, which the mask closed, has a ×.

    unit: what the numbers are ("score"). lock: a key to be marked with a frame. Raises ValueError
    where numbers and tokens differ in number.
    """
    values = to_numpy(values)
    check_length("key_pos", len(values), tokens)
    closed = np.isneginf(values)
    fig = _upright_bars(np.where(closed, np.nan, values), tokens, "key", unit, lock, title)
    for place in np.flatnonzero(closed):
        fig.add_annotation(x=int(place), y=0, text="×", showarrow=False, font_color=REFERENCE)
    fig.update_xaxes(title_font_color=KEY)
    alt = f"{unit} of {len(values)} keys, {int(closed.sum())} of them masked"
    if not closed.all():
        most = int(np.where(closed, -np.inf, values).argmax())
        alt += f"; the largest, {values[most]:.3f}, is key {most} '{visible(tokens[most])}'"
    return described(fig, alt + ".", x="key", y=unit, x_labels=("key token", tokens))


def position_bars(
    values: Float[Array, " pos"],
    tokens: Sequence[str],
    *,
    unit: str,
    lock: int | None = None,
    title: str = "",
) -> go.Figure:
    """One number for each position, upward.

    unit: what the numbers are ("length"). lock: a position to be marked with a frame. Raises
    ValueError where numbers and tokens differ in number.
    """
    values = to_numpy(values)
    check_length("pos", len(values), tokens)
    fig = _upright_bars(values, tokens, "position", unit, lock, title)
    alt = f"{title or unit} at {len(values)} positions"
    if len(values):
        most = int(values.argmax())
        alt += f"; the largest, {values[most]:.3f}, is at {most} '{visible(tokens[most])}'"
    return described(fig, alt + ".", x="position", y=unit, x_labels=("token", tokens))


def _upright_bars(
    values: np.ndarray, tokens: Sequence[str], place: str, unit: str, lock: int | None, title: str
) -> Draft:
    """A bar upward or downward for each token, none at NaN. place: what a token stands at."""
    fig = new_figure(320 if upward(len(values)) else 260, title)
    fig.add_bar(
        x=list(range(len(values))),
        y=values,
        marker={
            "color": [NEGATIVE if value < 0 else POSITIVE for value in values],
            "line": {"color": REFERENCE, "width": [3 * (i == lock) for i in range(len(values))]},
        },
        **bar_numbers(["" if np.isnan(value) else f"{value:.2f}" for value in values]),
        hovertemplate=f"{place} %{{x:d}}  %{{x}}<br>{escaped(unit)} %{{y:.4f}}<extra></extra>",
    )
    fig.update_xaxes(token_axis(tokens), title_text=place, tickangle=-90)
    fig.update_yaxes(title_text=escaped(unit), zeroline=True, zerolinecolor=REFERENCE)
    seen = values[~np.isnan(values)]
    low, high = (float(end(seen, initial=0)) for end in (np.min, np.max))
    return fig.update_yaxes(range=range_with_room(low, high, len(values), UPRIGHT_HEIGHT))


def kv_growth(pos: Sequence[int], cache_bytes: Sequence[int], *, title: str = "") -> go.Figure:
    """Bytes of the key-value cache by the number of positions in it."""
    fig = new_figure(260, title)
    fig.add_scatter(
        x=list(pos),
        y=list(cache_bytes),
        mode="lines",
        line={"color": DISCRETE[0]},
        hovertemplate="%{x} positions<br>%{y:,} bytes<extra></extra>",
    )
    fig.update_xaxes(title_text="positions in the cache", title_standoff=8, rangemode="tozero")
    fig.update_yaxes(_binary_ticks(max(cache_bytes, default=0)), rangemode="tozero")
    alt = "No position is cached."
    if len(pos):
        alt = f"The key-value cache grows from {cache_bytes[0]:,} bytes at {pos[0]} positions to "
        alt += f"{cache_bytes[-1]:,} bytes at {pos[-1]}."
    return described(fig, alt, x="positions", y="bytes")


def _binary_ticks(most: int) -> dict:
    """An axis of bytes in round KiB, MiB, ...: Plotly's own prefixes count in thousands."""
    power = int(math.log2(max(most, 1))) // 10
    unit, name = 1024**power, ("B", "KiB", "MiB", "GiB", "TiB", "PiB")[power]
    rough = max(most / unit / 4, 0.25)
    step = 2 ** round(math.log2(rough))
    values = [k * step for k in range(int(most / unit / step) + 2)]
    texts = [f"{value:g} {name}" for value in values]
    return {"tickvals": [value * unit for value in values], "ticktext": texts}
