"""What stands on the page of tokens, and the texts that its tests are given."""

from tests.pages.screen import as_tensor, figures

PAGE = "pages/read/tokens.py"
TEXT = "First Citizen: Speak, speak. Second Citizen: You are all resolved rather to"
ODD = [
    "x",
    "🎭 naïve 漢字",
    "שלום עולם",
    "<b>bold</b><img src=x onerror=alert(1)> **b** `c` $d$ :red[e]",
    "a\nb\n\n c\t",
    "aaaa aaaa  aaaa",
    "z" * 900,
]


def table(at, column):
    """The rows of the first table that has this column."""
    return next(t.value for t in at.dataframe if column in t.value.columns)


def widths(figure) -> list[list[int]]:
    return [as_tensor(trace["x"]).int().tolist() for trace in figure["data"]]


def staircase(at):
    return figures(at)[0]


def said(at) -> str:
    return "\n".join(element.value for element in at.main.markdown)


def shown(token: str) -> str:
    from tfs.plots.tokens import visible

    return visible(token, 40)
