"""One number for each head, scores or effects of an intervention, on a map of layers and heads."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.theme import DIVERGING, SEQUENTIAL, add_colour_bar, new_figure
from tfs.plots.tokens import label_axis
from tfs.plots.twin import described

MOST_WRITTEN = 8  # heads whose numbers find room in their cells, a third of a page wide
BAR = 64  # pixels: four such maps side by side leave room for its name


def head_scores(
    scores: Float[Array, "layer head"],
    title: str = "",
    *,
    signed: bool = False,
    value: str = "score",
) -> go.Figure:
    """Each head's number in its cell, layers upward; a head without a number (NaN) stays empty.

    Scores lie in [0, 1]. With signed they may be anything, and the scale is centred on 0 instead.
    """
    scores = to_numpy(scores)
    n_layers, n_heads = scores.shape
    fig = new_figure(int(np.clip(70 + 34 * n_layers, 170, 620)), title, colour_bar=True)
    fig.add_heatmap(
        z=scores,
        texttemplate="%{z:.2f}" if n_heads <= MOST_WRITTEN else "",
        textfont={"size": 12 if n_heads <= 6 else 9, "weight": 600},
        hovertemplate=f"%{{y}}%{{x}}<br>{value} %{{z:.4f}}<extra></extra>",
        hoverongaps=False,
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )
    fig.update_xaxes(label_axis([f"H{head}" for head in range(n_heads)]), title_text="head")
    fig.update_yaxes(label_axis([f"L{layer}" for layer in range(n_layers)]), title_text="layer")
    bound = float(np.nanmax(np.abs(scores), initial=0)) or 1.0
    scale, low, high = (DIVERGING, -bound, bound) if signed else (SEQUENTIAL, 0, 1)
    add_colour_bar(fig, scale, low, high, value, length=BAR)
    alt = f"{title or value} of {n_layers} layers with {n_heads} heads each; "
    if np.isnan(scores).all():
        alt += "no head has a number."
    else:
        layer, head = np.unravel_index(np.nanargmax(np.abs(scores)), scores.shape)
        alt += f"the largest, {scores[layer, head]:.2f}, is that of L{layer}H{head}."
    return described(fig, alt, x="head", y="layer", value=value)
