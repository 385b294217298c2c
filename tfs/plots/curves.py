"""Numbers over the course of a training: the loss with what it can be compared to, and the rate."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from tfs.plots.arrays import Number
from tfs.plots.theme import DISCRETE, REFERENCE, new_figure
from tfs.plots.tokens import escaped
from tfs.plots.twin import described

DASHES = "dash", "dot", "dashdot", "longdash"


def loss_curve(
    steps: Sequence[int],
    train_loss: Sequence[Number],
    held_out: Sequence[tuple[int, Number]] = (),
    references: Mapping[str, Number] | None = None,
    *,
    per: str = "token",
    among: Sequence[Number] = (),
    title: str = "",
) -> go.Figure:
    """Training loss by step, held-out loss as (step, loss) points, and levels to compare with.

    references: a name for each level, such as {"ln V": 4.605, "floor": 2.149}; drawn broken, each
    in its own way. per: what each loss is a mean over. among: losses that have room on the axis
    too, so that figures side by side share it.
    An empty curve is drawn as such, so a page can show it before the first step.
    """
    steps, train_loss = np.asarray(steps), np.asarray(train_loss, dtype=float)
    held_out = np.asarray(held_out, dtype=float).reshape(-1, 2)
    references = dict(references or {})
    fig = new_figure(340, title)
    line = {"color": DISCRETE[0], "width": 1.5}
    fig.add_scatter(x=steps, y=train_loss, name="training", mode="lines", line=line)
    if len(held_out):
        fig.add_scatter(
            x=held_out[:, 0],
            y=held_out[:, 1],
            name="held out",
            mode="lines+markers",
            line={"color": DISCRETE[1], "dash": "dot"},
            marker={"size": 7, "symbol": "diamond"},
        )
    fig.update_traces(hovertemplate="step %{x}<br>%{fullData.name} loss %{y:.4f}<extra></extra>")
    drawn = (*train_loss, *held_out[:, 1], *references.values(), *among)
    seen = [v for v in drawn if math.isfinite(v)]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.1
    fig.update_yaxes(range=[low - room, high + room], title_text=f"loss (nats per {per})")
    fig.update_xaxes(title_text="step", title_standoff=8)
    for (name, level), dash in zip(references.items(), itertools.cycle(DASHES)):
        line = {"color": REFERENCE, "dash": dash, "width": 1}
        fig.add_hline(level, line=line, name=f"{escaped(name)} = {level:.3f}", showlegend=True)
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30, hovermode="closest")
    alt = "No training step yet"
    if len(train_loss):
        alt = f"Training loss goes from {train_loss[0]:.3f} at step {steps[0]} to "
        alt += f"{train_loss[-1]:.3f} at step {steps[-1]}"
    if len(held_out):
        alt += f"; the last held-out loss is {held_out[-1, 1]:.3f}"
    if references:
        alt += "; for comparison, " + ", ".join(f"{k} is {v:.3f}" for k, v in references.items())
    return described(fig, alt + ".", x="step", y="loss", trace="curve")


def lr_schedule(
    steps: Sequence[int], lr: Sequence[Number], *, among: Sequence[Number] = (), title: str = ""
) -> go.Figure:
    """The learning rate of each step. among: rates that have room on the axis too."""
    steps, lr = np.asarray(steps), np.asarray(lr, dtype=float)
    fig = new_figure(240, title)
    hover = "step %{x}<br>learning rate %{y:.3g}<extra></extra>"
    fig.add_scatter(x=steps, y=lr, mode="lines", line={"color": DISCRETE[0]}, hovertemplate=hover)
    fig.update_xaxes(title_text="step", title_standoff=8)
    fig.update_layout(margin_r=24)  # half of the last tick's label hangs over the axis
    fig.update_yaxes(title_text="learning rate", rangemode="tozero", exponentformat="e")
    if len(among):
        fig.update_yaxes(range=[0, 1.06 * max(*lr, *among)])
    alt = "No step yet."
    if len(lr):
        top = int(lr.argmax())
        alt = f"The learning rate peaks at {lr[top]:.3g} at step {steps[top]} and "
        alt += f"ends at {lr[-1]:.3g}."
    return described(fig, alt, x="step", y="learning rate")
