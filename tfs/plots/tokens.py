"""Tokens as labels: visible, short, harmless and one per position.

A prompt may hold the same token twice. On an axis of strings Plotly would draw the two as one, so
positions are integers here and the tokens only their labels. A token may also be a space, a line
break, or "<b>", which Plotly would read as markup: labels show each as what it is.
"""

import unicodedata
from collections.abc import Sequence

VISIBLE = {" ": "·", "\n": "↵", "\r": "␍", "\t": "⇥"}


def visible(token: str, longest: int = 12) -> str:
    """The token with its spaces and control characters made visible, cut to `longest` characters.

    >>> visible(" the\\n")
    '·the↵'
    >>> visible("internationalisation")
    'internation…'
    """
    shown = "".join(VISIBLE.get(char, _visible_char(char)) for char in token)
    if shown and unicodedata.combining(shown[0]):
        shown = "◌" + shown  # an accent needs a letter to stand on
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _visible_char(char: str) -> str:
    unprintable = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return f"\\u{ord(char):04x}" if unprintable else char


def escaped(text: str) -> str:
    """The text such that Plotly shows it literally: "<b>" as three characters, not as a command.

    >>> escaped("<b>")
    '&lt;b&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def token_label(token: str, longest: int = 12) -> str:
    """What stands on an axis for this token."""
    return escaped(visible(token, longest))


def label_axis(labels: Sequence[str], *, most: int = 32, from_top: bool = False) -> dict:
    """Properties of an axis whose ticks 0, 1, 2, ... read `labels`, which are shown as given.

    Of more than `most` labels, every second (third, ...) has a tick; a hover shows the others too,
    through labelalias. from_top: 0 is at the upper end, as rows of a matrix are written.
    """
    step = max(1, -(-len(labels) // most))
    edges = [-0.5, max(len(labels), 1) - 0.5]
    return {
        "tickmode": "array",
        "tickvals": list(range(0, len(labels), step)),
        "ticktext": list(labels[::step]),
        "labelalias": {str(i): label for i, label in enumerate(labels)},
        "range": edges[::-1] if from_top else edges,
        "ticks": "",
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
    }


def token_axis(tokens: Sequence[str], *, most: int = 32, from_top: bool = False) -> dict:
    """label_axis for the tokens of a prompt, one per position."""
    return label_axis([token_label(token) for token in tokens], most=most, from_top=from_top)


def check_length(name: str, size: int, labels: Sequence, what: str = "tokens") -> None:
    """Raises ValueError where an axis and its labels differ in length."""
    if size != len(labels):
        raise ValueError(f"{name} has {size} entries but there are {len(labels)} {what}")
