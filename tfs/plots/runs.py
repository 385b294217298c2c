"""A training over time: panels, accuracy by place, and many runs in one figure."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from tfs.plots.arrays import Number
from tfs.plots.draft import Draft
from tfs.plots.theme import DASHES, DISCRETE, REFERENCE, SEQUENTIAL, new_figure
from tfs.plots.tokens import escaped
from tfs.plots.twin import HIDDEN, described

Curve = tuple[Sequence[Number], Sequence[Number]]  # steps, and a value at each
PANEL = 150  # pixels of height
GAP = 0.06
LAST_TICK = 24  # pixels: half of the label of a last tick hangs over the axis
MOST_ROWS = 240  # pixels that the positions of answers may take together


def over_training(
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    mark: int | Sequence[int] | None = None,
    log_steps: bool = False,
    shares: Collection[str] = (),
    title: str = "",
) -> go.Figure:
    """Panels above one another on one axis of steps, a curve by name in each.

    panels: {"loss": {"training": (steps, losses)}, "induction score": {"L1H0": ...}}. A curve of
    one name has one colour and dash in all panels. mark: a step, or steps, with a line through all
    panels. log_steps: the axis in powers; step 0 has no place on it and is left out. shares: the
    panels whose values are shares of 1, drawn from 0 to 1.
    """
    fig = new_figure(70 + PANEL * max(len(panels), 1), title)
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    height = (1 - GAP * (len(panels) - 1)) / max(len(panels), 1)
    told, ends = set[str](), []
    for row, (what, curves) in enumerate(panels.items()):
        axis = "y" if row == 0 else f"y{row + 1}"
        top = 1 - row * (height + GAP)
        bounds = {"domain": [max(top - height, 0), top], "title": {"text": escaped(what)}}
        scale = {"range": [-0.03, 1.03]} if what in shares else {"rangemode": "tozero"}
        fig.update_layout({f"yaxis{axis[1:]}": bounds | scale})
        for name, (steps, values) in curves.items():
            place = names.index(name)
            kept = [i for i, step in enumerate(steps) if step > 0 or not log_steps]
            fig.add_scatter(
                x=[steps[i] for i in kept],
                y=[values[i] for i in kept],
                yaxis=axis,
                name=escaped(name),
                legendgroup=str(place),
                showlegend=name not in told,
                mode="lines" if len(kept) > 40 else "lines+markers",
                line={
                    "color": DISCRETE[place % len(DISCRETE)],
                    "dash": DASHES[place // len(DISCRETE) % len(DASHES)],
                    "width": 1.5,
                },
                marker={"size": 5},
                hovertemplate=f"step %{{x}}<br>{escaped(name)}: %{{y:.4f}}<extra></extra>",
            )
            told.add(name)
            if len(values):
                ends.append(f"{what} of {name} ends at {values[-1]:.3f}")
    _time_axis(fig, log_steps, last=f"y{len(panels)}" if len(panels) > 1 else "y")
    marks = [] if mark is None else [mark] if isinstance(mark, int) else mark
    for at in [at for at in marks if at > 0 or not log_steps]:
        line = {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper"}
        fig.add_shape(line, line={"color": REFERENCE, "dash": "dot", "width": 1.5})
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30, hovermode="closest")
    alt = "; ".join(ends) or "0 curves"
    return described(fig, f"Over the training steps: {alt}.", x="step", y="value", trace="curve")


def accuracy_by_position(
    steps: Sequence[int], accuracy: Sequence[Sequence[Number | None]], *, title: str = ""
) -> go.Figure:
    """How many answers are right at each position, from the first evaluation to the last.

    accuracy: [evaluation pos], None where no answer stands; such positions are left out.
    """
    positions = [p for p in range(len(accuracy[0])) if accuracy[-1][p] is not None]
    cells = np.array([[row[p] for row in accuracy] for p in positions], dtype=float)
    fig = new_figure(120 + min(16 * len(positions), MOST_ROWS), title)
    fig.add_heatmap(
        z=cells,
        x=list(range(len(steps))),
        y=list(range(len(positions))),
        zmin=0,
        zmax=1,
        colorscale=SEQUENTIAL,
        colorbar={"title": {"text": "right"}, "tickformat": ".0%", "thickness": 12},
        customdata=[list(steps) for _ in positions],
        hovertemplate="step %{customdata}<br>position %{text}: %{z:.1%} right<extra></extra>",
        text=[[position] * len(steps) for position in positions],
    )
    apart = -(-16 * len(positions) // MOST_ROWS)
    shown = range(0, len(steps), max(1, len(steps) // 8))
    fig.update_xaxes(
        title_text="step", tickvals=list(shown), ticktext=[f"{steps[i]:,}" for i in shown]
    )
    fig.update_yaxes(
        title_text="position of the answer",
        tickvals=list(range(0, len(positions), apart)),
        ticktext=[str(position) for position in positions[::apart]],
        autorange="reversed",
    )
    alt = f"At step {steps[-1]}, {cells[:, -1].min():.1%} of the answers at the worst position and "
    alt += f"{cells[:, -1].max():.1%} at the best are right."
    columns = {
        "x_labels": ("step", [str(step) for step in steps]),
        "y_labels": ("position", [str(position) for position in positions]),
    }
    return described(fig, alt, x="evaluation", y="row", value="right", **columns)


def compare_runs(
    runs: Mapping[str, Sequence[Curve]],
    references: Mapping[str, Number] | None = None,
    *,
    what: str = "held-out loss",
    title: str = "",
) -> go.Figure:
    """A line for each kind of run, the mean over its seeds, and a band from the least to the most.

    runs: the curves of a kind, one for each seed; only steps that all of them have are drawn.
    """
    fig = new_figure(380, title)
    ends = []
    for place, (name, curves) in enumerate(runs.items()):
        steps, low, mean, high = _band(curves)
        if not steps:
            continue
        colour = DISCRETE[place % len(DISCRETE)]
        if len(curves) > 1:
            fig.add_scatter(
                x=[*steps, *reversed(steps)],
                y=[*high, *reversed(low)],
                fill="toself",
                fillcolor=colour,
                opacity=0.2,
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=str(place),
                meta=HIDDEN,
            )
        fig.add_scatter(
            x=steps,
            y=mean,
            name=escaped(name),
            legendgroup=str(place),
            mode="lines",
            line={"color": colour, "dash": DASHES[place % len(DASHES)], "width": 2},
            customdata=list(zip(low, high, strict=True)),
            hovertemplate=f"{escaped(name)}<br>step %{{x}}: %{{y:.4f}}<br>"
            "from %{customdata[0]:.4f} to %{customdata[1]:.4f}<extra></extra>",
        )
        ends.append(f"{name} ends at {mean[-1]:.3f}")
    for name, level in (references or {}).items():
        fig.add_hline(level, line={"color": REFERENCE, "dash": "dash", "width": 1})
        beside = {"x": 1, "xref": "paper", "xanchor": "right", "y": level, "yanchor": "bottom"}
        label = f"{escaped(name)} = {level:.3f}"
        fig.add_annotation(beside | {"text": label, "showarrow": False, "font": {"size": 11}})
    fig.update_xaxes(title_text="step", title_standoff=8)
    fig.update_layout(margin_r=LAST_TICK)
    fig.update_yaxes(title_text=what)
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 30, hovermode="closest")
    alt = f"{what.capitalize()}: {'; '.join(ends) or '0 runs so far'}."
    return described(fig, alt, x="step", y=what, trace="run")


def _band(curves: Sequence[Curve]) -> tuple[list, list, list, list]:
    """Steps that every curve has, and over the curves the least, the mean and the most at each."""
    at_step = [dict(zip(steps, values, strict=True)) for steps, values in curves]
    common = sorted(set.intersection(*(set(found) for found in at_step))) if at_step else []
    values = np.array([[found[step] for step in common] for found in at_step], dtype=float)
    if not common:
        return [], [], [], []
    spread = (values.min(0), values.mean(0), values.max(0))
    return common, *(part.tolist() for part in spread)


def _time_axis(fig: Draft, log_steps: bool, last: str) -> None:
    fig.update_layout(
        {
            "margin": {"r": LAST_TICK},
            "xaxis": {
                "title": {"text": "step", "standoff": 8},
                "anchor": last,
                "type": "log" if log_steps else "linear",
            },
        }
    )
