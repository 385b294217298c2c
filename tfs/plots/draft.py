"""A figure while it is drawn: plain dictionaries, made into a plotly Figure once, at the end.

Every update of a go.Figure checks the whole figure again, so a heatmap that is drawn by eight of
them takes 17 ms, and 2 ms when its parts are put together first. A draft understands the few verbs
of a Figure that our plots use, with the same names, and plotly checks the result all the same.
"""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tfs.plots.margins import with_room


class Draft:
    """Traces and layout; keyword names with underscores reach into parts, as title_text does."""

    def __init__(self, layout: Mapping[str, Any]) -> None:
        self.traces: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.update_layout(layout)

    def finished(self, meta: Mapping[str, Any]) -> go.Figure:
        """The figure; raises ValueError for a property that plotly does not know."""
        return go.Figure(data=self.traces, layout=with_room(self.layout) | {"meta": meta})

    def update_layout(self, parts: Mapping[str, Any] | None = None, **names: Any) -> "Draft":
        _merge(self.layout, _nested(parts or {}))
        _merge(self.layout, _nested(names))
        return self

    def update_xaxes(self, parts: Mapping[str, Any] | None = None, **names: Any) -> "Draft":
        return self._update_axes("xaxis", parts, names)

    def update_yaxes(self, parts: Mapping[str, Any] | None = None, **names: Any) -> "Draft":
        return self._update_axes("yaxis", parts, names)

    def update_traces(self, **names: Any) -> "Draft":
        for trace in self.traces:
            _merge(trace, _nested(names))
        return self

    def add_trace(self, trace: Mapping[str, Any]) -> "Draft":
        self.traces.append(dict(trace))
        return self

    def add_heatmap(self, **names: Any) -> "Draft":
        return self.add_trace({"type": "heatmap"} | names)

    def add_scatter(self, **names: Any) -> "Draft":
        return self.add_trace({"type": "scatter"} | names)

    def add_scatter3d(self, **names: Any) -> "Draft":
        return self.add_trace({"type": "scatter3d"} | names)

    def add_bar(self, **names: Any) -> "Draft":
        return self.add_trace({"type": "bar"} | names)

    def add_annotation(self, parts: Mapping[str, Any] | None = None, **names: Any) -> "Draft":
        return self._append("annotations", parts, names)

    def add_shape(self, parts: Mapping[str, Any] | None = None, **names: Any) -> "Draft":
        return self._append("shapes", parts, names)

    def add_hline(self, y: Any, **names: Any) -> "Draft":
        across = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "yref": "y"}
        return self.add_shape(across | {"y0": y, "y1": y}, **names)

    def add_vline(self, x: Any, **names: Any) -> "Draft":
        down = {"type": "line", "y0": 0, "y1": 1, "yref": "y domain", "xref": "x"}
        return self.add_shape(down | {"x0": x, "x1": x}, **names)

    def _update_axes(self, kind: str, parts: Mapping[str, Any] | None, names: Mapping) -> "Draft":
        """Every axis of a kind that there is; the first one always."""
        for axis in {kind, *(name for name in self.layout if name.startswith(kind))}:
            _merge(self.layout.setdefault(axis, {}), _nested(parts or {}))
            _merge(self.layout[axis], _nested(names))
        return self

    def _append(self, where: str, parts: Mapping[str, Any] | None, names: Mapping) -> "Draft":
        one: dict[str, Any] = {}
        _merge(one, _nested(parts or {}))
        _merge(one, _nested(names))
        self.layout.setdefault(where, []).append(one)
        return self


def _nested(names: Mapping[str, Any]) -> dict[str, Any]:
    """{"title_text": "a"} as {"title": {"text": "a"}}: no property of plotly has an underscore."""
    nested: dict[str, Any] = {}
    for name, value in names.items():
        *path, last = name.split("_")
        part = nested
        for step in path:
            part = part.setdefault(step, {})
        _merge(part, {last: value})
    return nested


def _merge(into: dict[str, Any], parts: Mapping[str, Any]) -> None:
    """Nested parts are merged, everything else replaced; a title may be given as its text alone."""
    for name, value in parts.items():
        if name == "title" and isinstance(value, str):
            value = {"text": value}
        if isinstance(value, Mapping):
            held = into.get(name)
            into[name] = dict(held) if isinstance(held, Mapping) else {}
            _merge(into[name], value)
        elif isinstance(value, list):
            into[name] = list(value)
        else:
            into[name] = value
