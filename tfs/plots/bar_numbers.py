"""The number at the end of an upright bar: across while bars are few and wide, upward while many.

Plotly would shrink a number to the width of its bar, until nobody can read it.
"""

from collections.abc import Sequence

MOST_ACROSS = 12  # bars: beyond, their numbers are written upward
MOST = 32  # bars: beyond, a phone has no room for a number at each


def upward(bars: int) -> bool:
    """Whether so many bars have their numbers written upward.

    >>> upward(12), upward(13)
    (False, True)
    """
    return bars > MOST_ACROSS


def bar_numbers(texts: Sequence[str]) -> dict:
    """What a bar trace needs to write these at the ends of its bars; too many are left out."""
    turned = upward(len(texts))
    return {
        "text": list(texts) if len(texts) <= MOST else None,
        "textposition": "outside",
        "textangle": -90 if turned else 0,
        "textfont": {"size": 10 if turned else 12},
        "constraintext": "none",
        "cliponaxis": False,
    }


def range_with_room(low: float, high: float, bars: int, height: int) -> list[float]:
    """From below the lowest number (0 at most) to above the highest (0 at least), texts included.

    height: of the panel in pixels, of which an upward number takes some 46 and one across 20.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    text = (46 if upward(bars) else 20) if bars <= MOST else 6
    ends = (low < 0) + (high > 0 or low == 0)
    room = text / max(height - ends * text, text) * ((high - low) or 1.0)
    return [low - room * (low < 0), high + room * (high > 0 or low == 0)]
