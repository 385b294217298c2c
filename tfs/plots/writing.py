"""How a text is written: the tree that a beam search grows, and how likely each word of it was."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from tfs.plots.arrays import Array, Number, to_numpy
from tfs.plots.draft import Draft
from tfs.plots.theme import DISCRETE, REFERENCE, SEQUENTIAL, add_colour_bar, ink_on, new_figure
from tfs.plots.tokens import check_length, escaped, label_axis, token_axis, token_label, visible
from tfs.plots.twin import HIDDEN, described

FATES = {  # what a candidate that was kept, finished or dropped looks like, and is called
    "kept": ("kept", DISCRETE[0], "circle", 10),
    "finished": ("finished", DISCRETE[2], "square", 12),
    "dropped": ("cut", REFERENCE, "x-thin-open", 7),
}
START, TALLEST_TREE, ROW = "start", 900, (30, 56)  # pixels of a step, at least and at most
LETTER, BESIDE, MOST_LETTERS = 6.5, 90, 12  # pixels, beside the tree, and letters of a token
LETTERS_OF_A_NUMBER = 5
FAINT = 0.6
BUS, BETWEEN = 0.36, 0.28  # where edges turn: below the first parent, and down to the last one


@runtime_checkable
class Weighed(Protocol):
    """A continuation as a step of a beam search weighs it; tfs.seq2seq.Candidate is one."""

    tokens: tuple[int, ...]  # all new ones up to here
    beam: int  # the kept candidate of the step before that it goes on from, by its place among them
    log_prob: float  # of all these tokens
    fate: str  # "kept", "finished" or "dropped"


class _Node(NamedTuple):
    """A candidate in the tree: its place, its parent's, and what it added."""

    step: int
    rank: int
    parent: tuple[int, int]  # step and rank
    turn: float  # where between the two the edge runs across, so that parents can be told apart
    added: float  # log-probability of its last token
    log_prob: float
    token: str
    fate: str
    on_path: bool


def beam_tree(
    steps: Sequence[Sequence[Weighed]],
    tokens: Sequence[Sequence[str]],
    *,
    path: Sequence[int] = (),
    width: int = 800,
    title: str = "",
) -> go.Figure:
    """A beam search as a tree that grows downward, its candidates from left to right, best first.

    steps: the candidates of each step, as tfs.seq2seq.beam_steps gives them for one source; tokens:
    the newest token of each as text. Kept ones are circles, finished ones squares, cut ones faint
    crosses; beside a node stand its token, and what it adds to the log-probability. path: token ids
    of a text, whose way through the tree is drawn strong. width: pixels that the figure has; words
    are cut to what fits between two nodes, or left to the hover. A candidate that cannot be, at
    minus infinity, is left out. Raises ValueError where steps and tokens differ in number.
    """
    check_length("step", len(steps), tokens, "rows of tokens")
    nodes = list(_nodes(steps, tokens, tuple(path)))
    widest = max((node.rank for node in nodes), default=1)
    row = int(np.clip(TALLEST_TREE / max(len(steps), 1), *ROW))
    fig = new_figure(96 + row * len(steps), title)
    _add_edges(fig, [node for node in nodes if node.fate == "dropped"], 1, "dot", REFERENCE)
    _add_edges(fig, [node for node in nodes if node.fate != "dropped"], 1.5, "solid", REFERENCE)
    _add_edges(fig, [node for node in nodes if node.on_path], 5, "solid", DISCRETE[1])
    root = {"x": [1], "y": [0], "mode": "markers+text", "text": [START], "meta": HIDDEN}
    root |= {"marker": {"color": REFERENCE, "size": 8}, "textposition": "middle right"}
    fig.add_scatter(**root, hoverinfo="skip", showlegend=False)
    letters = min(int((width - BESIDE) / widest / LETTER - 1.5), MOST_LETTERS)
    by_fate = [[node for node in nodes if node.fate == fate] for fate in FATES]
    for group in by_fate:
        if group:
            _add_nodes(fig, group, letters)
    fig.update_xaxes(range=[0.6, widest + 1], tickvals=list(range(1, widest + 1)))
    fig.update_xaxes(title_text="candidate, best first", showgrid=False, side="top")
    fig.update_yaxes(range=[len(steps) + 0.7, -0.4], title_text="step", dtick=1, showgrid=False)
    fig.update_layout(showlegend=True, legend={"orientation": "h", "y": 0, "yanchor": "top"})
    fig.update_layout(margin_t=fig.layout["margin"]["t"] + 34, margin_b=34)
    listed = [node for group in by_fate for node in group]
    columns = {
        "token": [node.token for node in listed],
        "goes on from candidate": [node.parent[1] for node in listed],
        "nats of the token": [node.added for node in listed],
        "nats of all": [node.log_prob for node in listed],
        "on the winner's path": ["yes" if node.on_path else "" for node in listed],
    }
    alt = _tree_in_words(len(steps), listed)
    return described(fig, alt, x="candidate", y="step", trace="fate", columns=columns)


def probability_rows(
    probs: Float[Array, "row token"],
    tokens: Sequence[str],
    rows: Sequence[str],
    *,
    title: str = "",
) -> go.Figure:
    """The probability of each token of a text, a row for each way in which it was computed.

    Raises ValueError where tokens or rows differ in number from the probabilities.
    """
    probs = to_numpy(probs)
    check_length("row", len(probs), rows, "rows")
    check_length("token", probs.shape[1], tokens)
    fig = new_figure(90 + 30 * len(rows), title, colour_bar=True)
    fig.add_heatmap(
        z=probs,
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
        hovertemplate="%{y}<br>token %{x:d}  %{x}<br>probability %{z:.4f}<extra></extra>",
    )
    if probs.shape[1] <= 16:
        inks = ink_on(probs, SEQUENTIAL)
        for row, column in np.ndindex(*probs.shape):
            words = {"text": f"{probs[row, column]:.2f}", "showarrow": False}
            ink = {"size": 11, "color": str(inks[row, column])}
            fig.add_annotation({"x": column, "y": row} | words | {"font": ink})
    fig.update_xaxes(token_axis(tokens), title_text="written token", tickangle=-90)
    fig.update_yaxes(label_axis([escaped(row) for row in rows], from_top=True))
    add_colour_bar(fig, SEQUENTIAL, 0, 1, "probability")
    row, column = np.unravel_index(probs.argmin(), probs.shape)
    alt = f"Probability of {len(tokens)} written tokens in {len(rows)} rows; the smallest, "
    alt += f"{probs[row, column]:.3f}, is that of token {column} '{visible(tokens[column])}', "
    labels = {"x_labels": ("written token", tokens), "y_labels": ("row", rows)}
    return described(fig, f"{alt}{rows[row]}.", x="position", y="", value="probability", **labels)


def _nodes(
    steps: Sequence[Sequence[Weighed]], tokens: Sequence[Sequence[str]], path: tuple[int, ...]
) -> Iterator[_Node]:
    """Every candidate that can be, with its parent among the kept ones of the step before."""
    kept = [((0, 1), 0.0)]
    for step, (weighed, names) in enumerate(zip(steps, tokens, strict=True), start=1):
        check_length("candidate", len(weighed), names)
        going_on = []
        for rank, (one, name) in enumerate(zip(weighed, names, strict=True), start=1):
            if one.fate == "kept":
                going_on.append(((step, rank), one.log_prob))
            if not np.isfinite(one.log_prob):
                continue
            parent, before = kept[one.beam]
            turn = parent[0] + BUS + BETWEEN * one.beam / max(len(kept) - 1, 1)
            on_path = one.fate != "dropped" and one.tokens == path[: len(one.tokens)]
            added = one.log_prob - before
            yield _Node(step, rank, parent, turn, added, one.log_prob, name, one.fate, on_path)
        kept = going_on


def _add_edges(fig: Draft, nodes: Sequence[_Node], width: Number, dash: str, colour: str) -> None:
    """A line from each parent down, across and down to its node, past the words beside them."""
    x: list[int | None] = []
    y: list[float | None] = []
    for node in nodes:
        x += [node.parent[1], node.parent[1], node.rank, node.rank, None]
        y += [node.parent[0], node.turn, node.turn, node.step, None]
    line = {"width": width, "dash": dash, "color": colour}
    fig.add_scatter(
        x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, meta=HIDDEN
    )


def _add_nodes(fig: Draft, nodes: Sequence[_Node], letters: int) -> None:
    """Nodes of one fate: its symbol, the token, and what that adds."""
    name, colour, symbol, size = FATES[nodes[0].fate]
    texts = [_beside(node, letters) for node in nodes]
    fig.add_scatter(
        x=[node.rank for node in nodes],
        y=[node.step for node in nodes],
        name=name,
        mode="markers+text",
        opacity=FAINT if name == "cut" else 1,
        marker={"color": colour, "symbol": symbol, "size": size}
        | {"line": {"width": 2, "color": colour}},
        text=texts,
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        customdata=[
            [token_label(node.token, 24), _signed(node.added), _signed(node.log_prob)]
            for node in nodes
        ],
        hovertemplate="step %{y}, candidate %{x}: %{customdata[0]}<br>adds %{customdata[1]} nats, "
        f"%{{customdata[2]}} in all<br>{name}<extra></extra>",
    )


def _beside(node: _Node, letters: int) -> str:
    """The token, and where there is room what it adds."""
    fits = letters > 1 or len(node.token) <= letters
    token = f" {token_label(node.token, letters)}" if fits else ""
    return token if letters < LETTERS_OF_A_NUMBER else f"{token}<br> {_signed(node.added)}"


def _signed(nats: float) -> str:
    return f"{nats:.{1 if nats < -9.995 else 2}f}".replace("-0.00", "0.00").replace("-", "−")


def _tree_in_words(steps: int, nodes: Sequence[_Node]) -> str:
    counts = [f"{sum(n.fate == fate for n in nodes)} {FATES[fate][0]}" for fate in FATES]
    alt = f"The tree of a beam search after {steps} steps: {', '.join(counts)} candidates"
    path = sorted((node for node in nodes if node.on_path), key=lambda node: node.step)
    if path:
        words = " ".join(visible(node.token) for node in path)
        alt += f"; the strong path is '{words}' with {_signed(path[-1].log_prob)} nats"
    return alt + "."
