"""The masks: which one is on screen, why each of its cells is open or closed, cell by cell."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

from pages._ui.axes import shape
from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.controls import View
from pages._ui.layout import behind, counted, quoted
from pages._ui.parts import part
from pages._ui.steps import counter
from tfs.interp import causal, everyone, padding, prefix, sliding_window
from tfs.plots import mask_cells
from tfs.plots.theme import DISCRETE

CAUSAL, NONE, PADDING, PREFIX, WINDOW = NAMES = (
    "causal",
    "none",
    "padding",
    "prefix",
    "sliding window",
)
MAKERS = {CAUSAL: causal, NONE: everyone, PADDING: padding, PREFIX: prefix, WINDOW: sliding_window}
ABOUT = {
    CAUSAL: "A decoder: a query sees itself and what came before it (Vaswani et al. 2017, 3.2.3).",
    NONE: "An encoder: everyone sees everyone (BERT, Devlin et al. 2019).",
    PADDING: "A decoder on a batch of unequal texts: the last positions only fill up the shorter "
    "ones, and nobody may see them.",
    PREFIX: "A question is read in both directions, its answer from left to right (UniLM, Dong et "
    "al. 2019; T5, Raffel et al. 2020, 3.2.1).",
    WINDOW: "A query sees only the last few keys, so that few have to be remembered (Longformer, "
    "Beltagy et al. 2020; Mistral, Jiang et al. 2023).",
}


class Mask(NamedTuple):
    """A mask [query_pos key_pos] with what made it."""

    name: str
    setting: int | None  # n_padding, n_prefix or window
    cells: Tensor

    @property
    def maker(self) -> Callable[..., Tensor]:
        return MAKERS[self.name]

    @property
    def code(self) -> str:
        """The line of a program that makes `mask`."""
        setting = "" if self.setting is None else f", {self.setting}"
        return f"mask = {self.maker.__name__}(len(tokens){setting})"


def pick_mask(pos: int) -> Mask:
    """The reader's mask, and the slider that belongs to it."""
    name = st.segmented_control(
        "Mask", NAMES, default=CAUSAL, required=True, key="mask", bind="query-params"
    )
    name = name if name in NAMES else CAUSAL
    st.caption(ABOUT[name])
    setting = None
    if name == PADDING:
        setting = _slider("Padding at the end", "n_padding", 0, pos, 3)
    elif name == PREFIX:
        setting = _slider("Length of the prefix", "n_prefix", 0, pos, 4)
    elif name == WINDOW:
        setting = _slider("Keys in the window", "window", 1, pos, 4)
    arguments = () if setting is None else (setting,)
    return Mask(name, setting, MAKERS[name](pos, *arguments))


def _slider(label: str, key: str, low: int, high: int, usual: int) -> int:
    """A whole number, kept in the URL, and within its range when the prompt has become shorter.

    A slider with another range is another widget to Streamlit, so the value is handed on to it.
    """
    if low == high:
        st.caption(f"{label}: {low}, the only choice with one token.")
        return low
    if key in st.session_state:
        st.session_state[key] = min(max(st.session_state[key], low), high)
    return st.slider(label, low, high, min(usual, high), key=key, bind="query-params")


@part
def builder(view: View, mask: Mask) -> None:
    """The mask as it grows, row by row; back and forward by a cell, or by a row."""
    pos, size = len(view.tokens), len(view.tokens) ** 2
    cells = _pick_cells(pos)
    opened = int(mask.cells.flatten()[:cells].sum())
    if cells < size:
        query, key = divmod(cells - 1, pos) if cells else (0, 0)
        st.markdown(
            f"Cell {cells} of {size}. {why(mask, query, key)} Query {quoted(view.labels[query])}, "
            f"key {quoted(view.labels[key])}."
            if cells
            else f"{counted(size, 'cell')}, none decided yet. Go forward to decide the first."
        )
    else:
        st.markdown(
            f"{counted(size, 'cell')} {shape('query_pos key_pos')}, all decided: {opened} open, "
            f"{size - opened} closed."
        )
    decided = torch.arange(size).view(pos, pos) < cells
    kept = torch.zeros(pos, pos).masked_fill(~mask.cells, -torch.inf)
    cell_maps(
        [
            CellMap(
                f"{mask.name}: {counted(cells - opened, 'score')} replaced by −∞, {opened} kept",
                kept.where(decided, torch.nan),
                "cell",
                words={"0": "open", "-Infinity": "closed"},
                colours=[DISCRETE[0], DISCRETE[0]],
            )
        ],
        *queries_and_keys(view.labels),
        key="mask cells",
        hint="Filled: open, the score stays as it is. Grey, ×: closed, the score is replaced by "
        "−∞. Empty: not decided yet. A click decides all cells up to that one.",
        mark="decided last",
        lock=divmod(cells - 1, pos) if 0 < cells < size else None,
        on_lock=lambda cell: _decide_up_to(cell, pos),
    )
    behind(
        {"mask": lambda: mask_cells(mask.cells, view.labels, cells=cells)},
        key="mask cells",
        code=[mask.maker],
        program=view.program(
            f"""
            {mask.code}
            scores = torch.zeros(mask.shape)  # whatever an open score is, it stays
            result = scores.masked_fill(~mask, -torch.inf)
            result.view(-1)[{cells}:] = torch.nan  # not decided yet
            """,
            mask.maker,
        ),
    )


def why(mask: Mask, query: int, key: int) -> str:
    """The rule that opens or closes one cell, in a sentence."""
    pos, n = len(mask.cells), mask.setting
    if mask.name == NONE:
        reason = "there is no mask"
    elif mask.name == PADDING and key >= pos - n:
        reason = f"key {key} is padding"
    elif mask.name == PREFIX and key < n:
        reason = f"key {key} belongs to the prefix, which all may see"
    elif mask.name == WINDOW and key <= query - n:
        reason = f"key {key} lies {query - key} back, and the window of {n} ends before it"
    elif key > query:
        reason = f"key {key} comes after query {query}"
    elif key == query:
        reason = f"key {key} is query {query} itself"
    else:
        reason = f"key {key} comes before query {query}"
    return f"**{'Open' if mask.cells[query, key] else 'Closed'}**: {reason}."


def _pick_cells(pos: int) -> int:
    """How many cells are decided, from none to all; all of them after a change of length."""
    size = pos**2
    if st.session_state.setdefault("cell for", pos) != pos:
        st.session_state["cell"] = size
    st.session_state["cell for"] = pos
    row_on, from_start = {"name": "One row on", "row": pos}, {"name": "From the start", "to": 0}
    return counter(
        size,
        key="cell",
        label="Cells decided",
        name="Cell",
        start=size,
        jumps=[row_on, from_start, {"name": "All", "to": size}],
    )


def _decide_up_to(cell: tuple[int, int] | None, pos: int) -> None:
    """Up to a cell that was clicked; all, where a second click has let go of it."""
    st.session_state["cell"] = pos**2 if cell is None else cell[0] * pos + cell[1] + 1
