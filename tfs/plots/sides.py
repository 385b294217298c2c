"""Two models side by side: what differs in their weights, their answers, and on the way there."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.cells import QUERY_AND_KEY, cells_height, described_cells, label_axes
from tfs.plots.theme import DASHES, DISCRETE, DIVERGING, add_colour_bar, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_label, visible
from tfs.plots.twin import described

SYMBOLS = ("circle", "diamond", "square", "x")
BAR_HEIGHT = 18  # pixels of one bar


def weight_difference(
    difference: Float[Array, "query_pos key_pos"], tokens: Sequence[str], *, title: str = ""
) -> go.Figure:
    """One pattern minus another, centred on 0: positive where the first one looks more.

    Raises ValueError where tokens and positions differ in number.
    """
    cells = to_numpy(difference)
    fig = new_figure(cells_height(cells), title, colour_bar=True)
    label_axes(fig, cells, tokens, None)
    hover = QUERY_AND_KEY + "<br>difference %{z:+.4f}<extra></extra>"
    fig.add_heatmap(z=cells, coloraxis="coloraxis", hovertemplate=hover)
    bound = float(np.abs(cells).max(initial=0)) or 1.0
    add_colour_bar(fig, DIVERGING, -bound, bound, "difference")
    query, key = np.unravel_index(np.abs(cells).argmax(), cells.shape)
    alt = f"Difference of two patterns on {len(tokens)} tokens; the largest, "
    alt += f"{cells[query, key]:+.2f}, is from query {query} '{visible(tokens[query])}' to key "
    alt += f"{key} '{visible(tokens[key])}'."
    return described_cells(fig, alt, "difference", tokens, tokens)


def depth_lines(
    lines: Mapping[str, Float[Array, " depth"]], *, what: str = "probability", title: str = ""
) -> go.Figure:
    """A share of 1 at every depth of models that may differ in depth, a line for each name.

    Place k is the stream after k blocks, so a line of n + 1 values is that of a model of n blocks.
    """
    values = {name: to_numpy(line) for name, line in lines.items()}
    fig = new_figure(280, title)
    for i, (name, line) in enumerate(values.items()):
        fig.add_scatter(
            x=list(range(len(line))),
            y=line,
            name=escaped(name),
            mode="lines+markers",
            line={"color": DISCRETE[i % len(DISCRETE)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9},
            hovertemplate=f"{escaped(name)}, after %{{x}} blocks<br>{escaped(what)} "
            "%{y:.4f}<extra></extra>",
        )
    depths = max(map(len, values.values()))
    fig.update_xaxes(label_axis([str(depth) for depth in range(depths)]), title_text="after blocks")
    fig.update_yaxes(title_text=escaped(what), range=[-0.02, 1.02])
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    ends = ", ".join(f"{name} {line[-1]:.3f}" for name, line in values.items())
    alt = f"{what.capitalize()} by depth in {len(values)} models; at the end: {ends}."
    return described(fig, alt, x="blocks", y=what, trace="model")


def paired_bars(
    probs: Float[Array, "side token"],
    tokens: Sequence[str],
    sides: Sequence[str],
    *,
    token: str = "token",
    side: str = "model",
    title: str = "",
) -> go.Figure:
    """The probability of each of these tokens by each model, the bars of one token together.

    token, side: what they are called, where they are something else. Raises ValueError where tokens
    or sides differ in number from the probabilities.
    """
    probs = to_numpy(probs)
    check_length("side", len(probs), sides, "sides")
    check_length("token", probs.shape[1], tokens)
    fig = new_figure(70 + (BAR_HEIGHT * len(sides) + 8) * len(tokens), title)
    for i, (name, row) in enumerate(zip(sides, probs, strict=True)):
        fig.add_bar(
            x=row,
            y=list(range(len(row))),
            orientation="h",
            name=escaped(name),
            marker={"color": DISCRETE[i % len(DISCRETE)]},
            text=[f"{p:.3f}" for p in row],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{escaped(name)}, %{{y}}<br>probability %{{x:.4f}}<extra></extra>",
        )
    fig.update_xaxes(range=[0, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1], title_text="probability")
    fig.update_xaxes(title_standoff=8)
    fig.update_yaxes(label_axis([token_label(t) for t in tokens], most=64, from_top=True))
    fig.update_layout(barmode="group", bargap=0.25, showlegend=True)
    fig.update_layout(legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    firsts = "; ".join(
        f"of {name}, '{visible(tokens[row.argmax()])}' with {row.max():.3f}"
        for name, row in zip(sides, probs, strict=True)
    )
    alt = f"Probabilities of {len(tokens)} {token}s by {len(sides)} {side}s; the first {firsts}."
    return described(fig, alt, x="probability", y="", trace=side, y_labels=(token, tokens))
