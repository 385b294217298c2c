"""Maps of the same cells side by side: a hover reads a cell in all of them, a click locks it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from pages._ui.axes import css_colour
from pages._ui.components import component, packed, shown
from tfs.plots.theme import DIVERGING, SEQUENTIAL

FULL_WIDTH = 4000  # pixels, more than a page has
CELLS = '<div class="maps"></div><div class="status" aria-live="polite"></div>'

_cell_maps = component("cell_maps", CELLS)


class Axis(NamedTuple):
    """The rows or the columns of a map: what each of them is, and a label for each.

    A label that is the row's own number is said once. Without a name, the labels say it all.
    first: the number of the first one; None where places in the list have no meaning.
    """

    name: str
    labels: Sequence[str]
    colour: str = ""
    first: int | None = 0

    def place(self, index: int, label: str) -> str:
        """One of them in words: query 3 'the'."""
        if not self.name:
            return label
        if self.first is None:
            return f"{self.name} '{label}'"
        number = str(self.first + index)
        return f"{self.name} {number}" + (f" '{label}'" if label != number else "")

    def header(self) -> dict[str, Any]:
        """What the script needs of it; labels without a name are words of ours, not tokens."""
        return self._asdict() | {"labels": shown(self.labels) if self.name else list(self.labels)}


def queries_and_keys(labels: Sequence[str], turned: bool = False) -> tuple[Axis, Axis]:
    """The rows and the columns of a pattern, which are keys and queries where it is turned."""
    axes = (
        Axis("query", labels, css_colour("query_pos")),
        Axis("key", labels, css_colour("key_pos")),
    )
    return axes[::-1] if turned else axes


def numbered(name: str, count: int) -> Axis:
    """Rows or columns that have a number and no other name; an axis word has its colour."""
    return Axis(name, [str(i) for i in range(count)], css_colour(name))


def positions(labels: Sequence[str]) -> Axis:
    """Rows or columns that are the positions of the prompt, each with its token."""
    return Axis("pos", labels, css_colour("pos"))


class CellMap(NamedTuple):
    """One of several maps of the same cells, [row column]; -inf is a closed cell, NaN is none.

    what: what a number is, as a hover says it. words: for numbers that stand for something, what
    they stand for, written as JavaScript writes the number; then there is no scale to read. high:
    the end of the scale, where it is known beforehand. signed: the scale lies around 0 even where
    no number is below it. by_row: each row is as bright as its own largest number allows. colours:
    other ones than our usual scales.
    """

    title: str
    values: Tensor
    what: str
    words: dict[str, str] | None = None
    high: float | None = None
    signed: bool = False
    by_row: bool = False
    colours: Sequence[str] = ()

    def header(self, rows: Axis, columns: Axis) -> dict[str, Any]:
        """What the script needs besides the numbers: a scale from 0 or around it, and alt text."""
        seen = self.values[self.values.isfinite()]
        low, high = (seen.min().item(), seen.max().item()) if seen.numel() else (0.0, 1.0)
        bound, signed = self.high or max(-low, high) or 1.0, self.signed or low < 0
        return {
            "title": self.title,
            "alt": self.title if self.words else self._largest(rows, columns),
            "what": self.what,
            "words": self.words,
            "scale": list(self.colours or (DIVERGING if signed else SEQUENTIAL)),
            "low": -bound if signed else 0,
            "high": bound,
            "by_row": self.by_row,
        }

    def _largest(self, rows: Axis, columns: Axis) -> str:
        seen = self.values.where(self.values.isfinite(), -torch.inf)
        row, column = divmod(int(seen.argmax()), self.values.shape[1])
        named = f"{self.title}: " if self.title else ""
        if not seen[row, column].isfinite():
            return f"{named}none has a {self.what}"
        places = (
            axis.place(index, shown([axis.labels[index]])[0])
            for axis, index in ((rows, row), (columns, column))
        )
        value = f"{seen[row, column].item():.2f}"
        return f"{named}the largest {self.what}, {value}, is at {', '.join(places)}"


def cell_maps(
    maps: Sequence[CellMap],
    rows: Axis,
    columns: Axis,
    *,
    key: str,
    by_row: bool = False,
    width: int = 520,
    row_height: int = 0,
    flat: bool = False,
    digits: int | None = None,
    hint: str = "",
    mark: str = "locked",
    rings: Tensor | None = None,
    ringed: str = "",
    lock: tuple[int | None, int | None] | None = None,
    on_lock: Callable[[tuple[int, int | None] | None], None] | None = None,
) -> None:
    """Maps side by side, each up to `width` pixels wide; a row is at least `row_height` high.

    flat: a row is exactly that high, however wide its cells are. digits: numbers are written into
    their cells with so many decimals, where there is room.

    lock, and what on_lock is called with: a row and a column, or None; by_row: rows are locked, and
    the column is None. A lock of a row or a column alone, the other None, frames the whole of it.
    mark: what a locked cell is called. Without on_lock there is no locking. rings: a bool for each
    cell, [row column], True where a ring stands in it; ringed: what that means, as a hover says it.
    """
    usual = "Hover a cell, lock it with a click; arrow keys move." if on_lock else "Hover a cell."
    head = {
        "panels": [each.header(rows, columns) for each in maps],
        "rows": rows.header(),
        "columns": columns.header(),
        "lock": lock and {"row": lock[0], "column": lock[1]},
        "locks": on_lock is not None,
        "by_row": by_row,
        "width": width,
        "row_height": row_height,
        "flat": flat,
        "digits": digits,
        "hint": hint or usual,
        "mark": mark,
        "rings": [] if rings is None else rings.nonzero().tolist(),
        "ringed": ringed,
    }

    def changed() -> None:
        cell = st.session_state[key].get("cell") or {}
        row, column = cell.get("row"), cell.get("column")
        inside = row in range(len(rows.labels)) and (
            column in range(len(columns.labels)) or (by_row and column is None)
        )
        if on_lock:
            on_lock((row, column) if inside else None)

    numbers = np.stack([each.values.detach().numpy() for each in maps]).astype("<f4")
    _cell_maps(
        key=key, data=packed(head, numbers), default={"cell": head["lock"]}, on_cell_change=changed
    )
