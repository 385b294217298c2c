"""The neurons of an MLP: which are active where, and which tokens each of them speaks for."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from tfs.plots.arrays import Array, to_numpy
from tfs.plots.bars import signed_draft
from tfs.plots.block import frame
from tfs.plots.theme import SEQUENTIAL, add_colour_bar, new_figure
from tfs.plots.tokens import check_length, label_axis, token_axis, visible
from tfs.plots.twin import described


def neuron_map(
    activations: Float[Array, "pos rank"],
    neurons: Int[Array, "pos rank"],
    tokens: Sequence[str],
    *,
    lock: int | None = None,
    title: str = "",
) -> go.Figure:
    """The most active neurons at each position, strongest on top: the number says which it is.

    lock: a position to be framed. Raises ValueError where tokens and positions differ in number.
    """
    activations, neurons = to_numpy(activations).T, to_numpy(neurons).T
    ranks, pos = activations.shape
    check_length("pos", pos, tokens)
    fig = new_figure(90 + 26 * ranks, title, colour_bar=True)
    fig.add_heatmap(
        z=activations,
        text=neurons,
        texttemplate="%{text}" if pos <= 24 else "",
        textfont={"weight": 600},
        hovertemplate="position %{x:d}  %{x}<br>neuron %{text}: %{z:.4f}<extra></extra>",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )
    if lock is not None:
        frame(fig, 0, lock, rows=ranks)
    places = [str(rank + 1) for rank in range(ranks)]
    fig.update_xaxes(token_axis(tokens), tickangle=-90)
    fig.update_yaxes(label_axis(places, from_top=True), title_text="place")
    add_colour_bar(fig, SEQUENTIAL, 0, float(activations.max(initial=0)) or 1.0, "activation")
    rank, at = np.unravel_index(activations.argmax(), activations.shape)
    alt = f"The {ranks} most active neurons at {pos} positions; the most active of all is neuron "
    alt += f"{neurons[rank, at]} at position {at} '{visible(tokens[at])}', with "
    alt += f"{activations[rank, at]:.2f}."
    return described(
        fig,
        alt,
        x="position",
        y="",
        value="activation",
        rows=("neuron", [str(neuron) for neuron in neurons.ravel()]),
        x_labels=("token", tokens),
        y_labels=("place", places),
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
