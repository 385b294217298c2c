"""Rows of bars, or of lines, over one axis of tokens: a hover reads a token in all of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pages._ui.axes import css_colour
from pages._ui.cell_maps import Axis
from pages._ui.components import component, packed, shown
from tfs.plots.theme import DASHES, DISCRETE, NEGATIVE, POSITIVE

CHART = (
    '<div class="legend"></div><div class="chart"></div>'
    '<div class="status" aria-live="polite"></div>'
)
COLOURS = {"bar": DISCRETE[0], "marked": DISCRETE[1], "positive": POSITIVE, "negative": NEGATIVE}

_aligned_bars = component("aligned_bars", CHART)


class Row(NamedTuple):
    """A number for each token, [token], on a scale of its own; -inf is closed, NaN is none.

    unit: what is written behind the title, such as how the numbers came about. high: the end of the
    scale, where it is known beforehand. signed: the scale lies around 0 even where no number is
    below it. two_colours: bars on either side of 0 differ in colour. digits: of the numbers written
    at the bars, None for no numbers. words: what is written at a bar instead of its number, one for
    each token, "" for the number. lines: names of the lines, where values is [line token]; a row
    without is bars. level: a dashed line at this number, and what it is called.
    """

    title: str
    values: Tensor
    unit: str = ""
    high: float | None = None
    signed: bool = False
    two_colours: bool = False
    digits: int | None = 2
    words: Sequence[str] = ()
    lines: Sequence[str] = ()
    level: tuple[float, str] | None = None

    def header(self) -> dict[str, Any]:
        """What the script needs besides the numbers: a scale from 0 or around it."""
        seen = self.values[self.values.isfinite()]
        low, high = (seen.min().item(), seen.max().item()) if seen.numel() else (0.0, 1.0)
        bound = self.high or max(-low, high, self.level[0] if self.level else 0.0) or 1.0
        return {
            "title": self.title,
            "unit": self.unit,
            "low": -bound if self.signed or low < 0 else 0,
            "high": bound,
            "two_colours": self.two_colours,
            "digits": self.digits,
            "words": list(self.words),
            "lines": [
                {"name": name, "colour": DISCRETE[i], "dash": DASHES[i % len(DASHES)]}
                for i, name in enumerate(self.lines)
            ],
            "level": self.level and {"at": self.level[0], "name": self.level[1]},
        }


def aligned_bars(
    rows: Sequence[Row],
    axis: Axis,
    *,
    key: str,
    down: bool = False,
    height: int = 96,
    mark: int | None = None,
    marked: str = "",
    hint: str = "",
) -> None:
    """Rows one below the other over tokens from left to right, each `height` pixels high.

    down: the tokens run from top to bottom instead, and the rows stand side by side. mark: a token
    with an arrow and striped bars; marked: what it is called. Nothing comes back from the reader.
    """
    head = {
        "rows": [row.header() for row in rows],
        "axis": axis.header(),
        "down": down,
        "height": height,
        "mark": mark,
        "marked": marked,
        "colours": COLOURS,
        "alt": _alt(rows, axis),
        "hint": hint or "Hover a token, or move over them with arrow keys.",
    }
    numbers = torch.cat([row.values.reshape(-1, len(axis.labels)) for row in rows])
    _aligned_bars(key=key, data=packed(head, numbers.detach().numpy().astype("<f4", order="C")))


def key_rows(rows: Sequence[Row], labels: Sequence[str], *, key: str, lock: int | None) -> None:
    """Rows over the keys that one query meets; lock: the locked one of them."""
    axis = Axis("key", labels, css_colour("key_pos"))
    aligned_bars(rows, axis, key=key, mark=lock, marked="locked")


def softmax_rows(
    masked: Tensor,
    exps: Tensor,
    weights: Tensor,
    labels: Sequence[str],
    *,
    key: str,
    lock: int | None = None,
) -> None:
    """Softmax of one query, [key_pos] each: scores with -inf where closed, their exp, the weights.

    exps are those of the scores less the largest one. lock: the locked key.
    """
    rows = [
        Row("score", masked, two_colours=True),
        Row("exp", exps, f"exp(score − {masked.max():.3f})".replace("− -", "+ "), high=1.0),
        Row("weight", weights, f"exp / {exps.sum():.3f}, the sum of all"),
    ]
    key_rows(rows, labels, key=key, lock=lock)


def _alt(rows: Sequence[Row], axis: Axis) -> str:
    """What is drawn, and the largest number of the last row; of lines, the mean of each."""
    last, labels = rows[-1], shown(axis.labels)
    closed = int(torch.isneginf(rows[0].values).sum())
    alt = f"{', '.join(row.title for row in rows)} on {len(labels)} tokens"
    alt += f", {closed} of them closed" if closed else ""
    if last.lines:
        means = last.values.numpy().astype(np.float64)
        known = zip(last.lines, means, strict=True)
        named = [f"{np.nanmean(v):.3f} with {n}" for n, v in known if not np.isnan(v).all()]
        return f"{alt}; its mean is {', '.join(named) or 'unknown'}"
    if not last.values.isfinite().any():
        return alt
    most = int(last.values.where(last.values.isfinite(), -torch.inf).argmax())
    place = axis.place(most, labels[most])
    return f"{alt}; the largest {last.title}, {last.values[most]:.3f}, is at {place}"
