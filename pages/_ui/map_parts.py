"""What a model's drawing is made of: parts on the road and beside it, and where they lead."""

from collections.abc import Sequence
from typing import Any

from tfs.plots.tokens import visible

WORDS = 6
Row = dict[str, Any]


def part(
    short: str, about: str, page: str, length: float = 0.0, *, label: str = "", **values: Any
) -> Row:
    """A box: what is written in it, what is said of it, where it leads with which choices.

    page: "" where no page looks into this part of such a model. length: of the vector that it adds
    at one position, 0 where it adds none.
    """
    go = {"page": page, **values} if page else None
    return {"short": short, "label": label or short, "about": about, "length": length, "go": go}


def adding(short: str, page: str, length: float, *, label: str = "", **values: Any) -> Row:
    """A box that is lit by the length of what it adds."""
    return part(short, f"adds a vector of length {length:.2f}", page, length, label=label, **values)


def station(what: Row, words: str, stream: float, *, slim: bool = False) -> Row:
    """A part that the road runs through. stream: the length of the stream above it."""
    row = beside([what], words, stream, reads=False, writes=False)
    return row | {"on_road": True, "slim": slim}


def norm_on_road(words: str, before: float, stream: float, page: str = "block") -> Row:
    """A norm through which the stream itself passes, as in a post-norm model."""
    about = f"makes a stream of length {before:.2f} one of length {stream:.2f}"
    return station(part("norm", about, page, label=f"Norm, {words}"), words, stream, slim=True)


def beside(
    parts: Sequence[Row],
    label: str,
    stream: float,
    *,
    gates: Sequence[Row] = (),
    reads: bool = True,
    writes: bool = True,
    asks: bool = False,
) -> Row:
    """Parts beside the road, which read from it through their gates and add to it.

    asks: they also read from the top of another road.
    """
    row = {"label": label, "parts": list(parts), "gates": list(gates), "stream": stream}
    return row | {"on_road": False, "reads": reads, "writes": writes, "asks": asks}


def scaled(*roads: Sequence[Row]) -> float:
    """Lengths to strengths and widths, in place, over all roads together; the longest addition.

    A part's strength is its length as a share of the longest, a road's norm the stream's length as
    a share of where it is longest.
    """
    rows = [row for road in roads for row in road]
    longest = max(part["length"] for row in rows for part in row["parts"]) or 1.0
    widest = max(row["stream"] for row in rows) or 1.0
    for row in rows:
        row["norm"] = row.pop("stream") / widest
        for each in [*row["parts"], *row["gates"]]:
            each["strength"] = each.pop("length") / longest
    return longest


def upto(labels: Sequence[str], place: int) -> str:
    """The tokens up to a place, or the last few of them, on one line."""
    some = labels[: place + 1]
    return ("… " if len(some) > WORDS else "") + " ".join(map(visible, some[-WORDS:]))
