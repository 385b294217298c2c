"""One number for each head, as maps of layers and heads side by side; a click opens a head."""

from collections.abc import Mapping

import streamlit as st
from torch import Tensor

from pages._ui.cell_maps import Axis, CellMap, cell_maps

ROW_HEIGHT = 30  # pixels
HEAD_WIDTH, LABELS = 46, 60  # pixels of a head's column, and of the names of the layers
NARROWEST = 180  # pixels, for the scale above
MOST_HEADS = 8  # in a map that writes its numbers: with more there is no room


def head_maps(
    scores: Mapping[str, Tensor],
    *,
    key: str,
    what: str,
    chosen: tuple[int, int],
    high: float | None = None,
    signed: bool = False,
) -> None:
    """Scores by name, [layer head] each; layer 0 is the lowest row. chosen: the head of the page.

    what: what a number is, behind the name of its map; high and signed: as of CellMap.
    """
    n_layers, n_heads = next(iter(scores.values())).shape

    def choose(cell: tuple[int, int | None] | None) -> None:
        if cell:
            st.session_state["layer"], st.session_state["head"] = n_layers - 1 - cell[0], cell[1]

    cell_maps(
        [
            CellMap(name, values.flip(0), f"{name}{what}", high=high, signed=signed)
            for name, values in scores.items()
        ],
        Axis("", [f"L{layer}" for layer in reversed(range(n_layers))]),
        Axis("", [f"H{head}" for head in range(n_heads)]),
        key=key,
        width=max(NARROWEST, LABELS + HEAD_WIDTH * min(n_heads, MOST_HEADS)),
        row_height=ROW_HEIGHT,
        flat=True,
        digits=2 if n_heads <= MOST_HEADS else None,
        hint="Hover a head; a click opens it above.",
        mark="the head of this page",
        lock=(n_layers - 1 - chosen[0], chosen[1]),
        on_lock=choose,
    )
