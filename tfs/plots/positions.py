"""What position vectors look like, how their likeness falls with distance, and what they decide."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.draft import Draft
from tfs.plots.theme import DASHES, DISCRETE, DIVERGING, KEY, WIDTHS, add_colour_bar, new_figure
from tfs.plots.tokens import check_length, escaped, token_axis, visible
from tfs.plots.twin import described


def position_matrix(W_pos: Float[Array, "position d_model"], *, title: str = "") -> go.Figure:
    """Position vectors, a row for each: 0 dark, large entries bright.

    A few entries may be far larger than the rest, so the brightest colour is for the largest 0.5 %.
    """
    W_pos = to_numpy(W_pos)
    n_positions, d_model = W_pos.shape
    fig = new_figure(int(np.clip(60 + 8 * n_positions, 160, 460)), title, colour_bar=True)
    hover = "position %{y}<br>d_model %{x}: %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=W_pos, coloraxis="coloraxis", hovertemplate=hover)
    fig.update_xaxes(
        title_text="d_model", title_font_color=WIDTHS["d_model"], title_standoff=8, showgrid=False
    )
    fig.update_yaxes(title_text="position", range=[n_positions - 0.5, -0.5], showgrid=False)
    if n_positions <= 10:
        fig.update_yaxes(dtick=1)
    bound = brightest_entry(W_pos)
    add_colour_bar(fig, DIVERGING, -bound, bound, f"value, or beyond ±{bound:.2g}")
    alt = f"The vectors of {n_positions} positions, {d_model} entries each"
    if W_pos.size:
        row, dimension = np.unravel_index(np.abs(W_pos).argmax(), W_pos.shape)
        alt += f"; the largest in size, {W_pos[row, dimension]:.2f}, is d_model {dimension} of "
        alt += f"position {row}"
    return described(fig, alt + ".", x="d_model", y="position", value="value")


def brightest_entry(W_pos: Float[Array, "position d_model"]) -> float:
    """Where the colours of position vectors end: above 99.5 % of the entries' sizes."""
    sizes = np.abs(to_numpy(W_pos))
    return float(np.quantile(sizes, 0.995)) or 1.0 if sizes.size else 1.0


def rotary_turns(angles: Float[Array, "position pair"], *, title: str = "") -> go.Figure:
    """How far each pair is turned at each position: 1 not at all, -1 half a turn, by the cosine.

    angles: in radians; a hover says them in degrees.
    """
    angles = to_numpy(angles)
    n_positions, n_pairs = angles.shape
    fig = new_figure(int(np.clip(60 + 8 * n_positions, 200, 460)), title, colour_bar=True)
    hover = "position %{y}, pair %{x}<br>turned by %{customdata:.2f}°, cosine %{z:.4f}"
    fig.add_heatmap(
        z=np.cos(angles).astype(np.float32),
        customdata=np.degrees(angles).astype(np.float32),
        coloraxis="coloraxis",
        hovertemplate=hover + "<extra></extra>",
    )
    fig.update_xaxes(title_text="pair of entries", title_standoff=8, showgrid=False, dtick=1)
    if n_pairs > 20:
        fig.update_xaxes(dtick=8)
    fig.update_yaxes(title_text="position", range=[n_positions - 0.5, -0.5], showgrid=False)
    add_colour_bar(fig, DIVERGING, -1, 1, "cosine")
    last = np.degrees(angles[-1]) if angles.size else np.zeros(1)
    alt = (
        f"The turn of {n_pairs} pairs at {n_positions} positions; at the last one, the first pair "
    )
    alt += f"has turned by {last[0]:.1f} degrees, the last by {last[-1]:.1f}."
    return described(fig, alt, x="pair", y="position", value="cosine")


def bias_by_distance(bias: Float[Array, "head distance"], *, title: str = "") -> go.Figure:
    """What is added to a score at each distance, a line for each head."""
    bias = to_numpy(bias)
    fig = new_figure(320, title)
    for head, line in enumerate(bias):
        fig.add_scatter(
            x=np.arange(len(line)),
            y=line,
            name=f"H{head}",
            mode="lines",
            line={"color": DISCRETE[head % len(DISCRETE)], "dash": DASHES[head % len(DASHES)]},
            hovertemplate="%{fullData.name}<br>%{x} back<br>bias %{y:.4f}<extra></extra>",
        )
    above = {"orientation": "h", "y": 1, "yanchor": "bottom", "traceorder": "normal"}
    fig.update_layout(showlegend=True, legend=above, hovermode="closest")
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    fig.update_xaxes(title_text="how far back the key lies", title_standoff=8)
    fig.update_yaxes(title_text="added to the score", zeroline=True)
    alt = f"What is added to the scores of {len(bias)} heads, by distance"
    if bias.size:
        far = bias.shape[1] - 1
        alt += f"; {far} back it is {bias[0, -1]:.2f} in H0 and {bias[-1, -1]:.2f} in the last head"
    return described(fig, alt + ".", x="distance", y="bias", trace="head")


def similarity_curves(
    kinds: Mapping[str, tuple[Float[Array, " distance"], Float[Array, " distance"]]],
    *,
    title: str = "",
) -> go.Figure:
    """The cosine of two positions by their distance, for each kind: its mean, and a band around it.

    kinds: a name -> (mean, spread); the band reaches one spread to either side.
    """
    fig = new_figure(320, title)
    alt = []
    for i, (name, curves) in enumerate(kinds.items()):
        mean, spread = (to_numpy(curve) for curve in curves)
        colour = DISCRETE[i % len(DISCRETE)]
        _add_band(fig, mean - spread, mean + spread, escaped(name), colour)
        fig.add_scatter(
            x=np.arange(len(mean)),
            y=mean,
            name=escaped(name),
            mode="lines",
            line={"color": colour, "dash": DASHES[i % len(DASHES)]},
            hovertemplate="%{fullData.name}<br>%{x} apart<br>cosine %{y:.4f}<extra></extra>",
        )
        if len(mean) > 1:
            alt.append(f"{name}: {mean[1]:.2f} at distance 1, {mean[-1]:.2f} at {len(mean) - 1}")
    above = {"orientation": "h", "y": 1, "yanchor": "bottom", "traceorder": "normal"}
    fig.update_layout(showlegend=True, legend=above, hovermode="closest")
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    fig.update_xaxes(title_text="distance between two positions", title_standoff=8)
    fig.update_yaxes(title_text="cosine similarity", zeroline=True)
    words = f"Mean cosine similarity of two positions, {len(kinds)} kinds"
    words += "".join(f"; {part}" for part in alt)
    return described(fig, words + ".", x="distance", y="cosine similarity", trace="curve")


def weights_twice(
    first: Float[Array, " key_pos"],
    second: Float[Array, " key_pos"],
    tokens: Sequence[str],
    names: tuple[str, str],
    *,
    title: str = "",
) -> go.Figure:
    """One query's weights from two runs, side by side for every key. names: what the runs were.

    Raises ValueError where tokens and keys differ in number.
    """
    fig = new_figure(300, title)
    runs = [to_numpy(first), to_numpy(second)]
    for i, (name, weights) in enumerate(zip(names, runs, strict=True)):
        check_length("key_pos", len(weights), tokens)
        fig.add_bar(
            x=list(range(len(weights))),
            y=weights,
            name=escaped(name),
            marker={"color": DISCRETE[i], "pattern": {"shape": ["", "/"][i], "size": 5}},
            hovertemplate="%{fullData.name}<br>key %{x:d}  %{x}<br>weight %{y:.4f}<extra></extra>",
        )
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30, bargap=0.2, barmode="group")
    fig.update_xaxes(token_axis(tokens), title_text="key", title_font_color=KEY, tickangle=-90)
    fig.update_yaxes(title_text="weight", rangemode="tozero")
    change = np.abs(runs[0] - runs[1])
    most = int(change.argmax())
    alt = (
        f"Weights on {len(tokens)} keys in two runs, {names[0]} and {names[1]}; they differ most, "
    )
    alt += f"by {change[most]:.4f}, at key {most} '{visible(tokens[most])}'."
    return described(
        fig, alt, x="key", y="weight", trace="run", x_labels=("key token", list(tokens))
    )


def _add_band(fig: Draft, low: np.ndarray, high: np.ndarray, name: str, colour: str) -> None:
    """A pale area between two curves of the same distances."""
    red_green_blue = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    for edge, values, fill in (("-", low, None), ("+", high, "tonexty")):
        fig.add_scatter(
            x=np.arange(len(values)),
            y=values,
            name=f"{name}, mean {edge} spread",
            mode="lines",
            line={"width": 0},
            fill=fill,
            fillcolor=f"rgba({red_green_blue}, 0.2)",
            showlegend=False,
            hoverinfo="skip",
        )
