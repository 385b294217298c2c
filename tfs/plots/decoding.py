"""How a token is chosen: from logits to what is drawn, and what each way to choose leaves out.

A cut does not lower a token's chance, it removes it, and what is left is scaled to sum to 1 again.
So a bar after a cut may be longer than the same token's probability was before it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.draft import Draft
from tfs.plots.theme import DASHES, DISCRETE, REFERENCE, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_label, visible
from tfs.plots.twin import described

PANELS = ("logit", "scaled logit", "probability", "after top-k", "after top-p")
LOGITS = (0, 1)  # the places of the panels that show logits
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
SMALL = {"size": 11}


def sampling_rows(
    logits: Float[Array, " token"],
    scaled: Float[Array, " token"],
    probs: Float[Array, " token"],
    after_top_k: Float[Array, " token"],
    after_top_p: Float[Array, " token"],
    tokens: Sequence[str],
    *,
    drawn: int | None = None,
    title: str = "",
) -> go.Figure:
    """From logit to what is drawn from: five bars for each of these tokens, in the given order.

    Both kinds of logit share a scale, and so do the three of probability, from 0 to 1: what
    temperature and cuts do is then a change of length. A probability that a cut took reads "cut".
    drawn: the row of the token that came out, marked with an arrow and with stripes on its bars.
    Raises ValueError where the sizes differ, or where `drawn` is no row.
    """
    panels = [to_numpy(values) for values in (logits, scaled, probs, after_top_k, after_top_p)]
    for name, values in zip(PANELS, panels, strict=True):
        check_length(name, len(values), tokens)
    if drawn is not None and drawn not in range(len(tokens)):
        raise ValueError(f"row {drawn} was drawn, but there are {len(tokens)} tokens")
    is_drawn = [row == drawn for row in range(len(tokens))]
    fig = new_figure(76 + 24 * len(tokens), title)
    for place in range(len(PANELS)):
        _add_panel(fig, place, panels, is_drawn)
    labels = ["▶ " * mark + token_label(t) for mark, t in zip(is_drawn, tokens, strict=True)]
    fig.update_yaxes(label_axis(labels, most=64, from_top=True))
    fig.update_layout(bargap=0.25, barmode="overlay", showlegend=False)
    marks = ["drawn" if mark else "" for mark in is_drawn] * len(PANELS)
    alt = _from_logits_to_draw(panels[-1], tokens, drawn)
    names = {"x": "value", "y": "", "trace": "step", "y_labels": ("token", tokens)}
    return described(fig, alt, rows=("drawn", marks), **names)


def mass_kept(out_of_reach: Mapping[str, Float[Array, " step"]], *, title: str = "") -> go.Figure:
    """The probability that each way to choose cannot reach at each step; the rest of 1 is kept.

    out_of_reach: for each lane's name, the model's own probability (at temperature 1) of all tokens
    that could not be drawn, one number per new token. A hover says both it and what is kept.
    """
    lines = {name: to_numpy(values) for name, values in out_of_reach.items()}
    fig = new_figure(280, title)
    for i, (name, values) in enumerate(lines.items()):
        fig.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=values,
            customdata=1 - values,
            name=escaped(name),
            mode="lines+markers",
            line={"color": DISCRETE[i % len(DISCRETE)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 8},
            hovertemplate="%{fullData.name}, new token %{x}<br>out of reach %{y:.4f}, "
            "kept %{customdata:.4f}<extra></extra>",
        )
    fig.update_xaxes(title_text="new token", title_standoff=8, tickformat="d", rangemode="tozero")
    fig.update_yaxes(range=[-0.03, 1.03], title_text="probability out of reach")
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    means = [f"{name} {values.mean():.3f}" for name, values in lines.items() if len(values)]
    alt = "No token was drawn yet."
    if means:
        steps = max(map(len, lines.values()))
        alt = f"Probability out of reach, mean over {steps} new tokens: {', '.join(means)}."
    return described(fig, alt, x="new token", y="out of reach", trace="lane")


def _add_panel(
    fig: Draft, place: int, panels: Sequence[np.ndarray], is_drawn: Sequence[bool]
) -> None:
    """The panel at this place from the left, with an x-axis of its own and the common y-axis."""
    values, axis = panels[place], str(place + 1) if place else ""
    texts = _written(place, panels)
    fig.add_bar(
        x=values,
        y=list(range(len(values))),
        xaxis=f"x{axis}",
        name=PANELS[place],
        orientation="h",
        marker={
            "color": [DISCRETE[1 if mark else 0] for mark in is_drawn],
            "pattern": {"shape": ["/" if mark else "" for mark in is_drawn], "size": 6},
        },
        text=texts if np.isfinite(values).all() else None,
        textposition="outside",
        textfont=SMALL,
        cliponaxis=False,
        hovertemplate="%{y}<br>%{fullData.name} %{x:.4f}<extra></extra>",
    )
    if not np.isfinite(values).all():  # Plotly would write nothing at -inf, and 0 on the wrong side
        for row, (value, text) in enumerate(zip(values, texts, strict=True)):
            at = {"x": max(0.0, float(value)), "y": row, "xref": f"x{axis}", "yref": "y"}
            words = {"text": text, "showarrow": False, "xanchor": "left", "font": SMALL}
            fig.add_annotation(at | words)
    fig.update_layout({f"xaxis{axis}": _panel_axis(place, panels)})


def _written(place: int, panels: Sequence[np.ndarray]) -> list[str]:
    """What stands at the end of each bar: its number, or "cut" where there was a probability."""
    values, probs = panels[place], panels[PANELS.index("probability")]
    if place in LOGITS:
        return ["−∞" if value == -np.inf else f"{value:.2f}" for value in values]
    cut = (values == 0) & (probs > 0)
    return ["cut" if gone else f"{v:.3f}" for v, gone in zip(values, cut, strict=True)]


def _panel_axis(place: int, panels: Sequence[np.ndarray]) -> dict:
    """A scale for the panel, with room for the numbers; the logits share one, probabilities too."""
    axis = {"range": [0, 1.6], "tickvals": [0, 1]}
    if place in LOGITS:
        logits = np.concatenate([panels[i] for i in LOGITS])
        finite = logits[np.isfinite(logits)]
        low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        room = 0.6 * (high - low) or 1.0
        to_the_right = high > 0 or low == 0 or len(finite) < len(logits)
        axis = {"range": [low - room * (low < 0), high + room * to_the_right], "nticks": 3}
    left = place / len(PANELS)
    name = {"text": PANELS[place].replace(" ", "<br>"), "standoff": 8, "font": {"size": 12}}
    lines = {"showgrid": True, "zeroline": True, "zerolinecolor": REFERENCE, "tickfont": SMALL}
    lines |= {"tickangle": 0}
    return axis | lines | {"title": name, "domain": [left, left + 0.17], "anchor": "y"}


def _from_logits_to_draw(drawn_from: np.ndarray, tokens: Sequence[str], drawn: int | None) -> str:
    alt = f"{len(tokens)} tokens, from their logits to the distribution that is drawn from"
    if len(tokens):
        best = int(drawn_from.argmax())
        alt += f"; most likely there is '{visible(tokens[best])}' with {drawn_from[best]:.3f}"
    if drawn is not None:
        alt += f"; drawn was '{visible(tokens[drawn])}' with {drawn_from[drawn]:.3f}"
    return alt + "."
