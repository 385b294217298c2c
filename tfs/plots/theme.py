"""How our figures look: one Plotly template and three named scales.

SEQUENTIAL  probabilities, always drawn from 0 to 1, so that two figures can be compared
DIVERGING   signed effects, always centred on 0: blue is negative, orange positive
DISCRETE    things without an order, such as heads or chosen tokens

Figures are shown on white pages and on nearly black ones, and a switch of theme does not draw them
again. So nothing here sets the colour of text or of the page: both come from whoever shows the
figure. For the same reason 0 is dark in both heatmap scales and the largest values are bright: the
cells bring their own background, and their contrast with each other is the same on any page.

Lightness alone carries the order of SEQUENTIAL (it rises in equal steps of OKLab), so it also reads
without colour. DIVERGING uses blue and orange, and DISCRETE starts from Okabe & Ito's palette
("Color universal design", 2008), darkened or lightened until each colour has a contrast of at least
3 with both kinds of page. Colours that only mark a line are always paired with a dash or a label.
"""

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from tfs.plots.draft import Draft
from tfs.plots.tokens import escaped

SEQUENTIAL = [
    "#1d2248",
    "#0e3974",
    "#08587f",
    "#0c768b",
    "#139495",
    "#06b594",
    "#46d477",
    "#b1e36d",
    "#f8f085",
]
DIVERGING = [
    "#a4ddff",
    "#5aaedd",
    "#387ea4",
    "#1e516c",
    "#22252e",
    "#654317",
    "#9d6a24",
    "#d7943c",
    "#ffc98b",
]
DISCRETE = [
    "#2a86c8",
    "#d55e00",
    "#009e73",
    "#c075a0",
    "#b87c00",
    "#8f6bd1",
    "#918700",
    "#7f7f7f",
]
DASHES = ["solid", "dash", "dot", "dashdot"]
QUERY, KEY = "#2a86c8", "#d55e00"  # the titles of these two axes, as in prose and shapes
WIDTHS = {"d_model": "#009e73", "d_head": "#d14d72", "d_mlp": "#b87c00"}  # likewise
NEGATIVE, POSITIVE = "#2a86c8", "#c8792a"  # bars of signed values
MASKED = "rgba(128, 128, 128, 0.3)"  # a cell that has no value
REFERENCE = "#7f7f7f"  # dashed lines to compare with
GRID = "rgba(128, 128, 128, 0.2)"

AXIS = {"gridcolor": GRID, "gridwidth": 1, "zeroline": False, "linecolor": GRID}

pio.templates["tfs"] = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"size": 13},
        "title": {"font": {"size": 15}, "x": 0, "xanchor": "left", "xref": "container"},
        "colorway": DISCRETE,
        "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        "xaxis": AXIS,
        "yaxis": AXIS,
        "hoverlabel": {"font": {"size": 13}, "align": "left"},
    }
)


def new_figure(height: int, title: str = "", *, colour_bar: bool = False) -> Draft:
    """An empty figure in our template, as wide as the page lets it be; the title is literal text.

    height: pixels for the drawing; title and colour bar, which stand above it, come on top.
    Margins stand in the figure itself: Streamlit's theme replaces those of a template.
    """
    top = 12 + (32 if title else 0) + (44 if colour_bar else 0)
    at_top = {"y": 1 - 12 / (height + top), "yanchor": "top", "yref": "container"}
    return Draft(
        {
            "template": "tfs",
            "height": height + top,
            "title": {"text": escaped(title)} | at_top,
            "margin": {"l": 8, "r": 8, "t": top, "b": 8, "pad": 0},
            "xaxis": {"showgrid": True},
        }
    )


def ink_on(levels: np.ndarray, scale: list[str]) -> np.ndarray:
    """Black or white for text on each of these levels, from 0 to 1, of a scale: what reads better.

    Their contrast with any colour is at least 4.58, where both are equally good (WCAG 2.2, 1.4.3).
    """
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in scale])
    places = np.linspace(0, 1, len(scale))
    rgb = np.stack([np.interp(levels, places, stops[:, i]) for i in range(3)], axis=-1) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.179, "#000000", "#ffffff")


def add_colour_bar(
    fig: Draft,
    scale: list[str],
    low: int | float,
    high: int | float,
    title: str,
    *,
    length: int = 120,
) -> Draft:
    """Give the figure's `coloraxis` a scale from `low` to `high`, and a slim bar above the cells.

    Beside the figure the bar would take the width that a narrow screen does not have. Its name is
    an annotation: given a title of its own, a horizontal bar moves the figure's title off the page.
    length: of the bar in pixels, after which its name begins.
    """
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "ypad": 4}
    size = {"thickness": 10, "lenmode": "pixels", "len": length, "outlinewidth": 0, "xpad": 0}
    bar = place | size | {"nticks": 3, "title": {"text": ""}}
    fig.update_layout(coloraxis={"colorscale": scale, "cmin": low, "cmax": high, "colorbar": bar})
    beside = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xshift": length + 14, "yshift": 26}
    words = {"text": escaped(title), "showarrow": False, "xanchor": "left", "yanchor": "middle"}
    return fig.add_annotation(beside | words)
