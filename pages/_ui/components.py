"""What is touched: token strip, mosaic, model map. JS and CSS are in assets/components.

Each is mounted under a key, so that it keeps its focus and its place when its numbers change. Data
goes in as bytes behind a JSON header; what the reader does comes back through a callback.
"""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from torch import Tensor

from pages._ui.owner import COOKIE, owner
from tfs.plots.theme import SEQUENTIAL
from tfs.plots.tokens import visible

SOURCES = Path(__file__).resolve().parents[2] / "assets" / "components"
LONGEST_LABEL = 24
WIDE = 800  # pixels: what a page has beside the sidebar on a laptop
STRIP = (
    '<div class="strip" role="listbox"></div><button type="button" class="all" hidden></button>'
    '<div class="status" aria-live="polite"></div>'
)
MOSAIC = (
    '<div class="scrub"></div><div class="grid"></div><div class="status" aria-live="polite"></div>'
)
MAP = '<div class="drawing"></div><div class="status" aria-live="polite"></div>'


def component(name: str, html: str = "") -> Callable[..., Any]:
    """A component of assets/components, to be mounted with a key and data."""
    css, js = (
        "\n".join(
            (SOURCES / f"{part}.{kind}").read_text()
            for part in ("common", name)
            if (SOURCES / f"{part}.{kind}").is_file()
        )
        for kind in ("css", "js")
    )
    return st.components.v2.component(f"tfs_{name}", html=html, css=css, js=js)


_token_strip = component("token_strip", STRIP)
_attention_mosaic = component("attention_mosaic", MOSAIC)
_model_map = component("model_map", MAP)
_page_width = component("page_width", '<div class="ruler"></div>')
_history = component("history")


def one_entry_per_page(view: str, *, misled: bool = False) -> None:
    """Let the browser's Back lead to the page before, not through every choice made on this one;
    and let it keep the key to its runs.

    view: where it changes, the page starts at its top; "" leaves it where it is. misled: Streamlit
    has told this visitor that the page is not there; the browser asks once more.
    """
    data = {"view": view, "misled": misled, "cookie": COOKIE, "owner": owner()}
    _history(key="history", data=data)


def page_width(on_change: Callable[[], None]) -> int:
    """Pixels that the page is wide, at most WIDE; that is what it is held for at first.

    on_change is called when the browser says otherwise, as a phone does.
    """
    width = st.session_state.get("page width", {}).get("width", WIDE)
    data = {"supposed": width, "most": WIDE}
    _page_width(key="page width", data=data, default={"width": WIDE}, on_width_change=on_change)
    return width if width in range(WIDE) else WIDE


def token_strip(
    labels: Sequence[str],
    *,
    key: str,
    name: str,
    lock: int | None = None,
    weights: Tensor | None = None,
    values: Tensor | None = None,
    ends: int | None = None,
    phrase: str = "looks at",
    unit: str = "",
    on_lock: Callable[[int | None], None] | None = None,
) -> None:
    """The prompt as buttons. weights [pos pos]: a token shows its row on hover; values [pos].

    ends: of a longer prompt only so many tokens at either end are in view, and the locked one,
    until the reader asks for all. name says what the strip is, for a screen reader; on_lock is
    called with the index that the reader locked, or None.
    """
    numbers = values if weights is None else weights
    hint = "" if weights is None else "Hover a token, or lock it with a click; arrow keys move."
    head = {
        "labels": shown(labels),
        "weighted": weights is not None,
        "numbered": numbers is not None,
        "ends": ends,
        "lock": lock,
        "phrase": phrase,
        "unit": unit,
        "name": name,
        "hint": hint,
    }

    def changed() -> None:
        index = st.session_state[key].get("index")
        if on_lock:
            on_lock(index if index in range(len(labels)) else None)

    floats = np.zeros(len(labels)) if numbers is None else numbers.detach().numpy()
    data = packed(head, np.ascontiguousarray(floats, dtype="<f4"))
    _token_strip(key=key, data=data, default={"index": lock}, on_index_change=changed)


def attention_mosaic(
    patterns: Tensor,
    labels: Sequence[str],
    *,
    key: str,
    names: Sequence[str],
    columns: int,
    query_labels: Sequence[str] | None = None,
    chosen: int | None = None,
    lock: dict[str, int] | None = None,
    frames: Sequence[int | str] = ("",),
    frame: int = 0,
    frame_name: str = "",
    row_scale: bool = False,
    open_rows: int | None = None,
    on_lock: Callable[[dict[str, int] | None], None] | None = None,
) -> None:
    """Small patterns side by side, [frame head query_pos key_pos] (one frame: without that axis).

    Weights travel as 256 levels, which is all that a small cell can show. row_scale: each row is as
    bright as its largest weight allows; what a hover says stays the weight. query_labels: of the
    rows, where they are of another text than the columns. open_rows: only the first so many rows
    are there yet, the others stay empty. on_lock is called with {"head", "query", "key"}, or None
    when the reader unlocks the cell.
    """
    patterns = patterns if patterns.ndim == 4 else patterns[None]
    levels = (patterns.detach().numpy().clip(0, 1) * 255).round().astype(np.uint8)
    heads, queries, keys = patterns.shape[1:]
    open_rows = queries if open_rows is None else open_rows
    head = {
        "names": list(names),
        "queries": queries,
        "keys": keys,
        "open": open_rows,
        "query_labels": shown(labels if query_labels is None else query_labels),
        "key_labels": shown(labels),
        "columns": columns,
        "chosen": chosen,
        "lock": lock,
        "scale": SEQUENTIAL,
        "frames": [str(frame) for frame in frames],
        "frame": frame,
        "frame_name": frame_name,
        "row_scale": row_scale,
        "alts": _alts(patterns[frame][:, :open_rows]),
        "hint": "Hover a cell, lock it with a click; arrow keys move, with Shift to another head.",
    }

    def changed() -> None:
        cell = st.session_state[key].get("cell")
        inside = cell and all(
            cell.get(name) in range(size)
            for name, size in (("head", heads), ("query", open_rows), ("key", keys))
        )
        if on_lock:
            on_lock(cell if inside else None)

    _attention_mosaic(
        key=key,
        data=packed(head, levels),
        default={"cell": lock, "frame": frame},
        on_cell_change=changed,
        on_frame_change=lambda: None,
    )


class Road(NamedTuple):
    """Rows from the tokens upward, as pages/_ui/map_parts.py makes them, and what they are."""

    rows: Sequence[dict[str, Any]]
    name: str = ""


def model_map(
    roads: Sequence[Road], *, key: str, alt: str, longest: str, meaning: str, hint: str
) -> dict[str, Any] | None:
    """A model as a drawing, as one road or two that are joined; the `go` of a part just chosen.

    Every row of a second road that `asks` is joined to the top of the first one.
    longest, meaning: what the strongest colour stands for, and what is measured by it.
    """
    drawn = [{"name": road.name, "rows": list(road.rows)} for road in roads]
    data = {"roads": drawn, "alt": alt, "longest": longest, "meaning": meaning, "hint": hint}
    return _model_map(key=key, data=data, on_go_change=lambda: None).go


def shown(labels: Sequence[str]) -> list[str]:
    """Spaces, line ends and control characters made visible, as on the axes of figures."""
    return [visible(label, LONGEST_LABEL) or "∅" for label in labels]


def _alts(patterns: Tensor) -> list[str]:
    """For each head, where the last query looks most."""
    largest = patterns[:, -1].max(-1)
    return [
        f"the last token looks most at position {place}, with weight {weight:.2f}"
        for weight, place in zip(largest.values.tolist(), largest.indices.tolist(), strict=True)
    ]


def packed(head: dict[str, Any], numbers: np.ndarray) -> bytes:
    """Length of the header, the header padded to a multiple of 8 with it, then the numbers."""
    text = json.dumps(head).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return struct.pack("<I", len(text)) + text + numbers.tobytes()
