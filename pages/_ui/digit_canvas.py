"""Eight by eight cells to draw a digit on, with a mouse, a finger or the arrow keys."""

import numpy as np
import streamlit as st

from pages._ui.components import component, packed
from tfs.plots.theme import SEQUENTIAL

SIDE = 8
HINT = "Draw with the mouse or a finger; or move with the arrow keys and press Space for ink."
_digit_canvas = component(
    "digit_canvas",
    '<canvas tabindex="0" role="img"></canvas><div class="status" aria-live="polite"></div>',
)


def digit_canvas(*, key: str) -> np.ndarray:
    """The ink that the reader has drawn, from 0 to 1, [pixel] row by row; a new key is blank."""
    head = {"side": SIDE, "scale": SEQUENTIAL, "hint": HINT, "alt": "a digit to be drawn"}
    _digit_canvas(
        key=key,
        data=packed(head, np.zeros(0, "<f4")),
        default={"ink": []},
        on_ink_change=lambda: None,
    )
    drawn = (st.session_state.get(key) or {}).get("ink") or []
    is_ink = [isinstance(ink, int | float) and 0 <= ink <= 1 for ink in drawn]
    blank = np.zeros(SIDE * SIDE)
    return np.array(drawn, dtype=float) if len(drawn) == len(blank) and all(is_ink) else blank
