"""One block as a road with two side roads, and what its parts write: lengths and norms."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.draft import Draft
from tfs.plots.theme import (
    DASHES,
    DISCRETE,
    DIVERGING,
    NEGATIVE,
    POSITIVE,
    REFERENCE,
    SEQUENTIAL,
    WIDTHS,
    add_colour_bar,
    new_figure,
)
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, visible
from tfs.plots.twin import HIDDEN, described

ON_THE_ROAD = "resid"  # stages whose name begins so lie on the road, the others beside it
WRITES = "_out"  # and those that end so come back to it
SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def block_road(
    lengths: Float[Array, " stage"],
    stages: Sequence[str],
    *,
    at: str = "",
    on_road: Sequence[str] = (),
    title: str = "",
) -> go.Figure:
    """The stages of a block from left to right; a road is as wide as the vector on it is long.

    stages: in the order of the computation, under their hooks' names: what starts with "resid" lies
    on the road, what ends in "_out" comes back to it. at: the stage to point at. on_road: others
    that lie on it, as the norms of a post-norm block. Raises ValueError where lengths and stages
    differ in number.
    """
    lengths = to_numpy(lengths)
    check_length("stage", len(lengths), stages, "stages")
    fig = new_figure(210, title)
    height = [0 if s.startswith(ON_THE_ROAD) or s in on_road else 1 for s in stages]
    fig.update_layout(shapes=_roads(lengths, stages, height))
    joins = [place + 0.5 for place, stage in enumerate(stages) if stage.endswith(WRITES)]
    plus = {"symbol": "cross-thin", "size": 13, "line": {"width": 3, "color": REFERENCE}}
    fig.add_scatter(
        x=joins, y=[0] * len(joins), mode="markers", marker=plus, hoverinfo="skip", meta=HIDDEN
    )
    told = [f"{length:.2f}" for length in lengths]
    is_here = [stage == at for stage in stages]
    fig.add_scatter(
        x=list(range(len(stages))),
        y=height,
        mode="markers+text",
        text=[f"{escaped(stage)}<br>{length}" for stage, length in zip(stages, told, strict=True)],
        textposition=["top center" if up else "bottom center" for up in height],
        textfont={"size": [13 if here else 11 for here in is_here]},
        customdata=lengths,
        cliponaxis=False,
        marker={
            "color": [DISCRETE[1] if here else REFERENCE for here in is_here],
            "size": [20 if here else 12 for here in is_here],
            "symbol": ["diamond" if here else "circle" for here in is_here],
            "opacity": 1,
        },
        hovertemplate="%{x}<br>length %{customdata:.4f}<extra></extra>",
        meta=HIDDEN,
    )
    fig.add_scatter(x=list(range(len(stages))), y=lengths, visible=False)  # what the table reads
    fig.update_xaxes(label_axis([escaped(stage) for stage in stages]))
    fig.update_xaxes(showticklabels=False, fixedrange=True)
    fig.update_yaxes(visible=False, fixedrange=True, range=[-0.75, 1.75])
    fig.update_layout(showlegend=False)
    alt = f"The {len(stages)} stages of a block, with the length of the vector at each: "
    alt += ", ".join(f"{s} {length}" for s, length in zip(stages, told, strict=True)) + "."
    return described(fig, alt, x="", y="length", x_labels=("stage", stages))


def norm_map(
    lengths: Float[Array, "layer pos"],
    tokens: Sequence[str],
    *,
    most: Number | None = None,
    lock: tuple[int, int] | None = None,
    title: str = "",
) -> go.Figure:
    """The length of a vector at every layer (upward) and position (to the right), 0 dark.

    most: where the scale ends, so that two maps can be compared; the longest of these without it.
    lock: a (layer, position) to be framed. Raises ValueError where tokens and positions differ in
    number.
    """
    lengths = to_numpy(lengths)
    n_layers, pos = lengths.shape
    check_length("pos", pos, tokens)
    fig = new_figure(int(np.clip(90 + 34 * n_layers, 170, 620)), title, colour_bar=True)
    hover = "%{y}, position %{x:d}  %{x}<br>length %{z:.4f}<extra></extra>"
    fig.add_heatmap(z=lengths, coloraxis="coloraxis", hovertemplate=hover, ygap=1)
    if lock:
        frame(fig, *lock)
    fig.update_xaxes(token_axis(tokens), tickangle=-90)
    fig.update_yaxes(label_axis([f"L{layer}" for layer in range(n_layers)]))
    top = float(lengths.max(initial=0)) if most is None else float(most)
    add_colour_bar(fig, SEQUENTIAL, 0, top or 1.0, "length")
    layer, place = np.unravel_index(lengths.argmax(), lengths.shape)
    alt = f"{title or 'Length'} in {n_layers} layers at {pos} positions; the longest, "
    alt += f"{lengths[layer, place]:.2f}, is in layer {layer} at position {place} "
    alt += f"'{visible(tokens[place])}'."
    labels = ("token", tokens)
    return described(fig, alt, x="position", y="layer", value="length", x_labels=labels)


def norm_lines(lengths: Mapping[str, Float[Array, " layer"]], *, title: str = "") -> go.Figure:
    """How the lengths of one token's vectors go from layer to layer, a line for each name."""
    lines = {name: to_numpy(values) for name, values in lengths.items()}
    n_layers = max(map(len, lines.values()))
    fig = new_figure(280, title)
    for i, (name, values) in enumerate(lines.items()):
        fig.add_scatter(
            x=list(range(len(values))),
            y=values,
            name=escaped(name),
            mode="lines+markers",
            line={"color": DISCRETE[i % len(DISCRETE)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9},
            hovertemplate="%{fullData.name}, %{x}<br>length %{y:.4f}<extra></extra>",
        )
    fig.update_xaxes(label_axis([f"L{layer}" for layer in range(n_layers)]), title_text="layer")
    fig.update_yaxes(title_text="length", rangemode="tozero")
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    ends = ", ".join(f"{name} {values[-1]:.2f}" for name, values in lines.items())
    alt = f"Lengths of {len(lines)} vectors over {n_layers} layers; in the last: {ends}."
    return described(fig, alt, x="layer", y="length", trace="vector")


def mean_and_scale(
    mean: Float[Array, " pos"],
    scale: Float[Array, " pos"],
    tokens: Sequence[str],
    *,
    lock: int | None = None,
    title: str = "",
) -> go.Figure:
    """What a layer norm takes from each position's vector: its mean (above), its scale (below).

    lock: a position to be framed. Raises ValueError where tokens and positions differ in number.
    """
    panels = {"mean": to_numpy(mean), "scale": to_numpy(scale)}
    fig = new_figure(300, title)
    for name, values, axis in zip(panels, panels.values(), ("y2", "y"), strict=True):
        check_length(name, len(values), tokens)
        fig.add_bar(
            x=list(range(len(values))),
            y=values,
            yaxis=axis,
            name=name,
            marker={
                "color": [POSITIVE if value >= 0 else NEGATIVE for value in values],
                "line": {
                    "color": REFERENCE,
                    "width": [3 * (i == lock) for i in range(len(values))],
                },
            },
            hovertemplate=f"position %{{x:d}}  %{{x}}<br>{name} %{{y:.4f}}<extra></extra>",
        )
    fig.update_xaxes(token_axis(tokens), tickangle=-90, anchor="y")
    upright = {"zeroline": True, "zerolinecolor": REFERENCE, "nticks": 4}
    scale_axis = upright | {"title": {"text": "scale"}, "domain": [0, 0.58]}
    mean_axis = upright | {"title": {"text": "mean"}, "domain": [0.68, 1], "anchor": "x"}
    fig.update_layout(yaxis=scale_axis, yaxis2=mean_axis, showlegend=False, bargap=0.25)
    low, high = (int(at) for at in (panels["scale"].argmin(), panels["scale"].argmax()))
    alt = f"Mean and scale of a layer norm at {len(tokens)} positions; the scale is between "
    alt += f"{panels['scale'][low]:.3f} at position {low} '{visible(tokens[low])}' and "
    alt += f"{panels['scale'][high]:.3f} at position {high} '{visible(tokens[high])}'."
    return described(fig, alt, x="position", y="value", trace="of", x_labels=("token", tokens))


def scaled_strips(
    vectors: Float[Array, "row d_model"], row_labels: Sequence[str], *, title: str = ""
) -> go.Figure:
    """Vectors as strips, each on its own scale: the brightest cell of a row is its ± entry.

    For vectors of very different length, of which only the pattern is compared. Raises ValueError
    where rows and labels differ in number.
    """
    vectors = to_numpy(vectors)
    n_rows, d_model = vectors.shape
    check_length("row", n_rows, row_labels, "row labels")
    bounds = [float(np.abs(row).max(initial=0)) for row in vectors]
    fig = new_figure(48 + 38 * n_rows, title)
    for place, (row, label, bound) in enumerate(zip(vectors, row_labels, bounds, strict=True)):
        fig.add_heatmap(
            z=row[None],
            y=[place],
            name=escaped(label),
            colorscale=DIVERGING,
            zmin=-(bound or 1.0),
            zmax=bound or 1.0,
            showscale=False,
            ygap=3,
            hovertemplate="%{fullData.name}<br>d_model %{x}: %{z:.4f}<extra></extra>",
        )
    told = [(label, f"{bound:.3g}") for label, bound in zip(row_labels, bounds, strict=True)]
    fig.update_xaxes(
        title_text="d_model", title_font_color=WIDTHS["d_model"], title_standoff=8, showgrid=False
    )
    fig.update_yaxes(label_axis([f"{escaped(n)}<br>± {b}" for n, b in told], from_top=True))
    alt = f"{n_rows} vectors of {d_model} entries, each on its own scale; the largest entries in "
    alt += "size: " + ", ".join(f"{name} {bound}" for name, bound in told) + "."
    return described(fig, alt, x="d_model", y="", value="value", trace="vector")


def _roads(lengths: np.ndarray, stages: Sequence[str], height: Sequence[int]) -> list[dict]:
    """A straight line from each stage to where its vector goes; the road runs on below the others.

    Where a side road comes back, half a place before the next stage, the two vectors are added.
    """
    widths = 1.5 + 10 * lengths / (float(lengths.max(initial=0)) or 1.0)
    on_road = [place for place, up in enumerate(height) if not up]
    lines, start = [], 0
    for place, stage in enumerate(stages):
        if not height[place]:
            start = place
            ends = [later - 0.5 for later in on_road if later > place] or [place + 0.5]
            lines.append((place, place, 0, ends[0], 0, DISCRETE[0]))
            if any(height[place + 1 : place + 2]):
                lines.append((None, place, 0, place + 1, 1, REFERENCE))
            if place:
                lines.append((place, place - 0.5, 0, place, 0, DISCRETE[0]))
        elif stage.endswith(WRITES):
            lines.append((place, place, 1, place + 0.5, 0, DISCRETE[4]))
            if any(height[place + 1 : place + 2]):  # the next reads the same stream, side by side
                lines.append((None, start, 0, place + 1, 1, REFERENCE))
        else:
            lines.append((None, place, 1, place + 1, 1, REFERENCE))
    return [
        {
            "type": "line",
            "layer": "below",
            "x0": x0,
            "y0": y0,
            "x1": x1,
            "y1": y1,
            "line": {"color": colour, "width": 1.5 if wide is None else float(widths[wide])},
        }
        for wide, x0, y0, x1, y1, colour in lines
    ]


def frame(fig: Draft, row: int, column: int, *, columns: int = 1) -> None:
    """A frame around one cell of a heatmap, or around `columns` of them in a row."""
    line = {"color": DISCRETE[1], "width": 2}
    corners = {"x0": column - 0.5, "x1": column + columns - 0.5, "y0": row - 0.5, "y1": row + 0.5}
    fig.add_shape(corners | {"type": "rect", "line": line})
