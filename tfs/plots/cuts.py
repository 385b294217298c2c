"""One text, cut in several ways: a row of pieces for each, all of them in step with its bytes."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tfs.plots.theme import new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_label, visible
from tfs.plots.twin import described

TONES = ("#1f6fa8", "#174f78")  # neighbours differ; white can be read on both
MARK, MARK_STRIPES = "#b34700", "#8f3900"


def cut_rows(
    rows: Sequence[Sequence[bytes]],
    texts: Sequence[Sequence[str]],
    names: Sequence[str],
    *,
    marked: tuple[int, int] | None = None,
    title: str = "",
) -> go.Figure:
    """Pieces as bars end to end, each as wide as it has bytes; the first row is at the top.

    texts: what is written on each piece; one that is too narrow says it on hover. marked: the row
    and place of a piece that is new, in another colour with stripes. Raises ValueError where there
    is not a text for each piece, or a name for each row.
    """
    check_length("cut", len(rows), names, "names")
    fig = new_figure(44 + 34 * len(rows), title)
    for row, pieces in enumerate(rows):
        new = [(row, place) == marked for place in range(len(pieces))]
        check_length("row", len(pieces), texts[row], "texts")
        fig.add_bar(
            x=[len(piece) for piece in pieces],
            y=[row] * len(pieces),
            orientation="h",
            name=escaped(names[row]),
            marker={
                "color": [MARK if is_new else TONES[i % 2] for i, is_new in enumerate(new)],
                "pattern": {
                    "shape": ["/" if is_new else "" for is_new in new],
                    "fillmode": "overlay",
                    "fgcolor": MARK_STRIPES,
                    "fgopacity": 1,
                    "size": 6,
                },
                "line": {"width": 0},
                "cornerradius": 3,
            },
            text=[token_label(text, 20) for text in texts[row]],
            customdata=[piece.hex(" ") for piece in pieces],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "white"},
            hovertemplate="%{text}<br>bytes %{customdata}<extra>%{fullData.name}</extra>",
        )
    fig.update_layout(barmode="stack", bargap=0.2, showlegend=False)
    fig.update_layout(uniformtext={"minsize": 8, "mode": "hide"})
    width = max((sum(map(len, pieces)) for pieces in rows), default=1)
    fig.update_xaxes(title_text="bytes", title_standoff=8, range=[0, width], showgrid=False)
    fig.update_yaxes(label_axis([escaped(name) for name in names], most=64, from_top=True))
    lengths = [f"{name} {len(pieces)}" for name, pieces in zip(names, rows, strict=True)]
    alt = f"{width} bytes, cut into pieces; number of pieces: {', '.join(lengths)}."
    if marked is not None:
        alt += f" New is '{visible(texts[marked[0]][marked[1]])}'."
    tokens = [text for row in texts for text in row]
    labels = {"y_labels": ("cut", names), "rows": ("piece", tokens)}
    return described(fig, alt, x="bytes", y="", **labels)
