"""What the model would say if it had to answer now: the logit lens, drawn.

Each cell is one position after one layer; its text is the token that the residual stream there
would put first, its colour how sure it is (nostalgebraist 2020, "interpreting GPT: the logit
lens").
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.margins import CHARACTER
from tfs.plots.theme import (
    DASHES,
    DISCRETE,
    REFERENCE,
    SEQUENTIAL,
    add_colour_bar,
    new_figure,
)
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, token_label, visible
from tfs.plots.twin import described

LETTER, BESIDE = 6, 24  # pixels: a letter in a cell, and the air beside the cells
FEWEST = 3  # letters, below which a cell stays empty
BYTE = re.compile(r"<0x(..)>")


def logit_lens(
    probs: Float[Array, "layer pos"],
    top_tokens: Sequence[Sequence[str]],
    tokens: Sequence[str],
    row_labels: Sequence[str],
    *,
    candidates: Sequence[Sequence[Sequence[tuple[str, Number]]]] | None = None,
    shown: range | None = None,
    lock: int | None = None,
    width: int = 800,
    title: str = "",
) -> go.Figure:
    """The most probable next token after each layer (upward) at each position (to the right).

    probs and top_tokens: the winner of each [layer][pos]. candidates: for each [layer][pos] the
    best few as (token, probability), shown on hover. row_labels: the layers' names, from below.
    shown: the positions in view, where there are more than can be read; drag for the others. lock:
    a position to be framed. width: pixels that the figure has; a token is cut to what fits into its
    cell, and left to the hover where hardly a letter does.
    Raises ValueError where the sizes do not fit together.
    """
    probs = to_numpy(probs)
    n_layers, pos = probs.shape
    check_length("pos", pos, tokens)
    check_length("layer", n_layers, row_labels, "row labels")
    check_length("layer", n_layers, top_tokens, "rows of top tokens")
    fig = new_figure(int(np.clip(80 + 30 * n_layers, 200, 700)), title, colour_bar=True)
    shown = range(pos) if shown is None else shown
    letters = _letters_in_a_cell(width, row_labels, len(shown))
    fig.add_heatmap(
        z=probs,
        **_words(top_tokens, candidates, letters),
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )
    axis = token_axis(tokens, most=max(32, pos * 32 // max(len(shown), 1)))
    fig.update_xaxes(axis, title_text="input token", tickangle=-90, title_standoff=8)
    fig.update_xaxes(range=[shown.start - 0.5, shown.stop - 0.5])
    fig.update_yaxes(label_axis([escaped(label) for label in row_labels]), title_standoff=8)
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "probability")
    if lock is not None:
        edges = {"x0": lock - 0.5, "x1": lock + 0.5, "y0": -0.5, "y1": n_layers - 0.5}
        fig.add_shape(edges, type="rect", line={"color": REFERENCE, "width": 3})
    return described(
        fig,
        _surest(probs, top_tokens, tokens, row_labels),
        x="position",
        y="",
        value="probability",
        rows=("first choice", [token for row in top_tokens for token in row]),
        x_labels=("token", tokens),
        y_labels=("layer", row_labels),
    )


def token_trajectory(
    values: Float[Array, "token layer"],
    tokens: Sequence[str],
    row_labels: Sequence[str],
    *,
    rank: bool = False,
    title: str = "",
) -> go.Figure:
    """How the probability of chosen tokens changes from layer to layer at one position.

    rank: the values are places among all tokens, 1 being the first; then the axis is logarithmic
    and the first place is at the top. Raises ValueError where the sizes do not fit together.
    """
    values = to_numpy(values)
    check_length("token", values.shape[0], tokens)
    check_length("layer", values.shape[1], row_labels, "row labels")
    what = "rank" if rank else "probability"
    fig = new_figure(300, title)
    for i, (token, line) in enumerate(zip(tokens, values, strict=True)):
        fig.add_scatter(
            x=list(range(len(line))),
            y=line,
            name=token_label(token),
            mode="lines+markers",
            line={"color": DISCRETE[i % len(DISCRETE)], "dash": DASHES[i % len(DASHES)]},
            hovertemplate="%{x}<br>%{fullData.name}: %{y:.4~f}<extra></extra>",
        )
    fig.update_xaxes(label_axis([escaped(label) for label in row_labels]), title_text="layer")
    fig.update_yaxes(title_text=what)
    if rank:
        fig.update_yaxes(type="log", autorange="reversed", dtick=1)
    else:
        fig.update_yaxes(range=[-0.02, 1.02])
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30)
    ends = ", ".join(f"'{visible(t)}' {v[-1]:.4g}" for t, v in zip(tokens, values, strict=True))
    alt = f"{what.capitalize()} of {len(tokens)} tokens over {len(row_labels)} layers; at the end: "
    names = ("token", [token for token in tokens for _ in row_labels])
    labels = ("layer", row_labels)
    return described(fig, f"{alt}{ends}.", x="", y=what, x_labels=labels, rows=names)


def _letters_in_a_cell(width: int, row_labels: Sequence[str], shown: int) -> int:
    """How many letters of a token find room, at most 12; 0 where hardly one would."""
    cells = width - CHARACTER * max(map(len, row_labels), default=0) - BESIDE
    letters = min(cells // LETTER // max(shown, 1), 12)
    return letters if letters >= FEWEST else 0


def _words(
    top_tokens: Sequence[Sequence[str]],
    candidates: Sequence[Sequence[Sequence[tuple[str, Number]]]] | None,
    letters: int,
) -> dict[str, Any]:
    """What is written on the cells, and what a hover says of them."""
    said = "%{hovertext}" if candidates else "%{text}  %{z:.4f}"
    return {
        "text": [[_fitted(token, letters or FEWEST) for token in row] for row in top_tokens],
        "texttemplate": "%{text}" if letters else "",
        "textfont": {"size": 10, "weight": 600},
        "hovertext": [[_listed(cell) for cell in row] for row in candidates or ()],
        "hovertemplate": f"%{{y}}, position %{{x:d}}  %{{x}}<br>{said}<extra></extra>",
    }


def _fitted(token: str, letters: int) -> str:
    """The token in so many letters; a byte, which is written <0x91>, as x91 where need be."""
    byte = BYTE.fullmatch(token)
    return f"x{byte[1]}" if byte and len(token) > letters else token_label(token, letters)


def _listed(candidates: Sequence[tuple[str, Number]]) -> str:
    return "<br>".join(f"{p:.4f}  {token_label(token)}" for token, p in candidates)


def _surest(
    probs: np.ndarray,
    top_tokens: Sequence[Sequence[str]],
    tokens: Sequence[str],
    row_labels: Sequence[str],
) -> str:
    layer, p = np.unravel_index(np.nanargmax(probs), probs.shape)
    alt = f"Logit lens of {len(probs)} layers on {len(tokens)} tokens; the surest is "
    alt += f"{row_labels[layer]} at position {p} '{visible(tokens[p])}', which expects "
    return f"{alt}'{visible(top_tokens[layer][p])}' with probability {probs[layer, p]:.2f}."
