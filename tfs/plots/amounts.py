"""Bars of amounts: sizes, counts and shares, which have no sign."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.bars import signed_draft
from tfs.plots.twin import described

ROOM = 1.35  # of the longest bar: for the number at its end, on a phone too


def amount_bars(
    values: Float[Array, " component"],
    labels: Sequence[str],
    *,
    x_title: str,
    among: Sequence[Number] = (),
    title: str = "",
) -> go.Figure:
    """One bar per component, in the given order; whole numbers are written as such, without a sign.

    among: amounts that have room on the axis too, so that figures side by side share it. Raises
    ValueError where values and labels differ in number.
    """
    values = to_numpy(values)
    fig = signed_draft(values, labels, x_title=x_title, title=title)
    texts = [amount(value) for value in values.tolist()]
    hover = "%{y}<br>%{text}<extra></extra>"
    fig.update_traces(text=texts, hovertemplate=hover)
    seen = np.asarray([*values, *among], dtype=float)
    fig.update_xaxes(range=[0, ROOM * (seen[np.isfinite(seen)].max(initial=0) or 1.0)])
    alt = f"{x_title}: {len(values)} components"
    if len(values):
        alt += f"; the largest is {labels[int(values.argmax())]} with {amount(float(values.max()))}"
    return described(fig, alt + ".", x=x_title, y="", y_labels=("component", labels))


def amount(value: Number) -> str:
    """An amount as one writes it: whole numbers as they are, others to three digits that count.

    >>> amount(17088.0), amount(0.0039062), amount(2.25)
    ('17,088', '0.00391', '2.25')
    """
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:#.3g}"
