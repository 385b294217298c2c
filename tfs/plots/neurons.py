"""The neurons of an MLP: which are active where, and which tokens each of them speaks for."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.bars import signed_draft
from tfs.plots.block import frame
from tfs.plots.draft import Draft
from tfs.plots.theme import SEQUENTIAL, add_colour_bar, ink_on, new_figure
from tfs.plots.tokens import check_length, label_axis, token_axis, visible
from tfs.plots.twin import HIDDEN, described

MOST_NUMBERED = 48  # positions: beyond, their rows are low, and a hover says which neuron it is
NUMBERED_ROW, PLAIN_ROW = 20, 8  # pixels


def neuron_map(
    activations: Float[Array, "pos rank"],
    neurons: Int[Array, "pos rank"],
    tokens: Sequence[str],
    *,
    lock: int | None = None,
    title: str = "",
) -> go.Figure:
    """The most active neurons of each position, a row, the strongest left: its number says which.

    lock: a position to be framed. Raises ValueError where tokens and positions differ in number.
    """
    activations, neurons = to_numpy(activations), to_numpy(neurons)
    pos, ranks = activations.shape
    check_length("pos", pos, tokens)
    numbered = pos <= MOST_NUMBERED
    fig = new_figure(
        100 + (NUMBERED_ROW * pos if numbered else PLAIN_ROW * pos), title, colour_bar=True
    )
    fig.add_heatmap(
        z=activations,
        text=neurons,
        hovertemplate="position %{y:d}  %{y}<br>neuron %{text}: %{z:.4f}<extra></extra>",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )
    top = float(activations.max(initial=0)) or 1.0
    if numbered:
        _write_numbers(fig, neurons, ink_on(activations / top, SEQUENTIAL))
    if lock is not None:
        frame(fig, lock, 0, columns=ranks)
    places = [str(rank + 1) for rank in range(ranks)]
    fig.update_xaxes(label_axis(places), title_text="place")
    fig.update_yaxes(token_axis(tokens, most=MOST_NUMBERED, from_top=True))
    add_colour_bar(fig, SEQUENTIAL, 0, top, "activation")
    at, rank = np.unravel_index(activations.argmax(), activations.shape)
    alt = f"The {ranks} most active neurons at {pos} positions; the most active of all is neuron "
    alt += f"{neurons[at, rank]} at position {at} '{visible(tokens[at])}', with "
    alt += f"{activations[at, rank]:.2f}."
    return described(
        fig,
        alt,
        x="",
        y="position",
        value="activation",
        rows=("neuron", [str(neuron) for neuron in neurons.ravel()]),
        x_labels=("place", places),
        y_labels=("token", tokens),
    )


def _write_numbers(fig: Draft, neurons: np.ndarray, inks: np.ndarray) -> None:
    """Each cell's neuron in the ink that reads on its colour; a heatmap's own text may be grey."""
    for ink in np.unique(inks):
        rows, ranks = np.nonzero(inks == ink)
        fig.add_scatter(
            x=ranks,
            y=rows,
            mode="text",
            text=neurons[rows, ranks],
            textfont={"size": 11, "color": str(ink)},
            hoverinfo="skip",
            showlegend=False,
            meta=HIDDEN,
        )


def neuron_vocabulary(
    promoted: Float[Array, " promoted"],
    promoted_tokens: Sequence[str],
    suppressed: Float[Array, " suppressed"],
    suppressed_tokens: Sequence[str],
    *,
    title: str = "",
) -> go.Figure:
    """The tokens that a neuron makes more likely, then those that it makes less likely.

    Values are logits per unit of activation, each list strongest first. Raises ValueError where a
    list and its tokens differ in number.
    """
    check_length("promoted", len(promoted), promoted_tokens)
    check_length("suppressed", len(suppressed), suppressed_tokens)
    values = np.concatenate([to_numpy(promoted), to_numpy(suppressed)])
    tokens = [*promoted_tokens, *suppressed_tokens]
    x_title = "logit per unit of activation"
    fig = signed_draft(values, [visible(token) for token in tokens], x_title=x_title, title=title)
    alt = f"What {title or 'a neuron'} adds to {len(tokens)} logits, per unit of activation"
    if len(tokens):
        alt += f"; it promotes '{visible(promoted_tokens[0])}' most, with {values[0]:+.3f}, and "
        last = len(promoted_tokens)
        alt += f"suppresses '{visible(suppressed_tokens[0])}' most, with {values[last]:+.3f}"
    return described(fig, alt + ".", x=x_title, y="", y_labels=("token", tokens))
