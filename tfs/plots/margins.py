"""Room for tick labels and axis titles, reckoned from their text.

Plotly can find it by itself (automargin): it draws a figure, measures it and draws it again, which
takes most of the time in which a heatmap appears. We know our labels, so we say how long they are.
"""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

CHARACTER, LINE, GAP = 7, 18, 8  # pixels of a tick label: a letter's width, a line, the air beside
NUMBER = 6  # characters of a number on an axis, such as -0.05
TITLE = 24
AXIS_NAME = re.compile(r"[xy]axis\d*")


def with_room(layout: Mapping[str, Any]) -> dict[str, Any]:
    """The layout with a left and a lower margin for its axes; subplots share the largest need."""
    axes = {"xaxis": {}, "yaxis": {}}
    axes |= {name: axis for name, axis in layout.items() if AXIS_NAME.fullmatch(name)}
    needed = {
        "l": max(_across(axis) for name, axis in axes.items() if name[0] == "y"),
        "b": max(_down(axis) for name, axis in axes.items() if name[0] == "x"),
    }
    given = layout.get("margin", {})
    margin = given | {side: max(given.get(side, 0), needed[side]) for side in needed}
    measured = {"automargin": False, "ticklabeloverflow": "allow"}  # both measure every label
    fixed = {name: axis | measured for name, axis in axes.items()}
    return {**layout, **fixed, "margin": margin}


def _across(axis: Mapping[str, Any]) -> int:
    """The width that a vertical axis takes beside its plot."""
    if axis.get("visible") is False:
        return GAP
    ticks = CHARACTER * _longest(axis) + GAP if axis.get("showticklabels", True) else 0
    return GAP + ticks + _title(axis)


def _down(axis: Mapping[str, Any]) -> int:
    """The height that a horizontal axis takes below its plot."""
    if axis.get("visible") is False:
        return GAP
    turned = axis.get("tickangle") in (-90, 90)
    ticks = CHARACTER * _longest(axis) if turned else LINE
    return GAP + (ticks + GAP if axis.get("showticklabels", True) else 0) + _title(axis)


def _title(axis: Mapping[str, Any]) -> int:
    text = axis.get("title", {}).get("text", "")
    return TITLE + LINE * text.count("<br>") if text else 0


def _longest(axis: Mapping[str, Any]) -> int:
    texts: Sequence[str] | None = axis.get("ticktext")
    return NUMBER if texts is None else max(map(_width, texts), default=0)


def _width(label: str) -> int:
    """Letters in a label, an East Asian one or an emoji counted twice; lines count alone."""
    lines = html.unescape(label).split("<br>")
    return max(sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) for line in lines)
