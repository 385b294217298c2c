"""The page of autograd: a formula as a graph that is walked forward, then back, node by node."""

import json
import textwrap
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages._ui import kept
from pages._ui.layout import counted, literal, sentence
from pages._ui.steps import PLAY, counter
from tfs.numpy_engine import backward_steps, steps
from tfs.numpy_engine.formula import Formula
from tfs.numpy_engine.measured import Measured, measured
from tfs.numpy_engine.tensor import Tensor

EXAMPLES: dict[str, tuple[str, dict[str, str]]] = {
    "a neuron": ("(w * x + b).tanh()", {"w": "0.5", "x": "2", "b": "-0.4"}),
    "used twice": ("a * a + a * b", {"a": "3", "b": "-2"}),
    "softmax and its loss": ("-z.log_softmax()[0]", {"z": "[2, 1, -1]"}),
    "a layer": (
        "((x @ W + b).relu() ** 2).mean()",
        {"x": "[[1, -2]]", "W": "[[1, 2, 0.5], [0.3, -1, 2]]", "b": "[0.1, 0.2, 0.3]"},
    ),
    "attention": (
        "softmax(q @ k.T / 2 ** 0.5) @ v",
        {"q": "[[1, 0], [0.5, 1]]", "k": "[[1, 0], [1, 1]]", "v": "[[1, 2], [3, 4]]"},
    ),
}
SIGNS = {"add": "+", "mul": "×", "div": "÷", "matmul": "@", "pow": "power", "index": "[ ]"}
SIGNS |= {"permute": "axes exchanged"}
WAITING, KNOWN, DONE, HERE = "#e3e7ea", "#9fcbe8", "#f4b183", "#f2d64b"  # black reads on all four
INK, LINE = "#111111", "#7f7f7f"
SUMMED = (
    " The formula's result is several numbers. They are summed, so that there is one number to "
    "start back from; its gradient is 1."
)
NARROW = 20  # letters that a line of a node holds, where it can be broken
LONGEST = 200  # letters of a formula, and of a box of numbers
FEW = 6  # numbers that a node has room for


class Node(NamedTuple):
    """A tensor of the graph. text: the piece of the formula that it is; "" for one that an
    operation made for itself. measured: its gradient by central differences, where it has a text.
    """

    tensor: Tensor
    made_by: str
    text: str
    parents: tuple[int, ...]
    measured: Measured | None


class Walk(NamedTuple):
    """Nodes, parents first; and for each backward step the node that passes its gradient on, and
    all gradients after it."""

    formula: str
    leaves: dict[str, list]
    nodes: list[Node]
    back: list[tuple[int, dict[int, np.ndarray]]]

    @property
    def gradients(self) -> dict[int, np.ndarray]:
        return self.back[-1][1]

    @property
    def is_summed(self) -> bool:
        """Whether the last node is no part of the formula, but the sum of its several numbers."""
        return not self.nodes[-1].text

    def complete(self, step: int) -> set[int]:
        """The nodes that have their whole gradient after so many steps."""
        return {i for i, _ in self.back[: max(0, step - len(self.nodes))]}

    def name(self, i: int) -> str:
        node = self.nodes[i]
        return node.text or (brief(node.tensor.data) if not node.made_by else node.made_by)


def pick() -> Walk:
    """The formula and its numbers, walked. Ends the page in a sentence where they do not fit."""
    example = st.segmented_control(
        "Example",
        list(EXAMPLES),
        default="a neuron",
        required=True,
        key="example",
        bind="query-params",
    )
    text, usual = EXAMPLES[example]
    typed = st.text_input(
        "Formula",
        text,
        key=f"formula of {example}",
        bind="query-params",
        help="Numbers, names, + - * / ** @, indexing, .T, and functions such as tanh, relu, exp, "
        "log, sum, mean, softmax and log_softmax.",
    )
    try:
        _check_length("the formula", typed)
        formula = Formula(typed)
        leaves = _leaves(formula.names, example, usual)
        return _walk(formula.text, json.dumps(leaves))
    except ValueError as error:
        st.error(literal(sentence(error)))
        st.stop()


def walked(walk: Walk) -> int:
    """The steps walked, chosen by the reader. A formula chosen anew is walked to its end.

    A link or a reload keeps the step that it brings along, beside a new formula, too.
    """
    last = len(walk.nodes) + len(walk.back)
    before = st.session_state.get("walked")
    if before and before[0] != walk.formula and before[1] == st.session_state.get("walk"):
        kept.forget("walk")  # or a slider of another length would take the old step from there
        st.session_state["walk"] = last
    step = counter(
        last,
        key="walk",
        label="Steps walked: forward to the result, then back",
        name="step",
        back="Previous step",
        forward="Next step",
        start=last,
        jumps=(PLAY, {"name": "From the start", "to": 0}),
    )
    st.session_state["walked"] = walk.formula, step
    return step


def _leaves(names: list[str], example: str, usual: dict[str, str]) -> dict[str, list]:
    """A box for each name. Raises ValueError for what is no number, and no rows of numbers, and
    for more than LONGEST letters."""
    leaves = {}
    with st.container(horizontal=True):
        for name in names:
            text = st.text_input(
                name,
                usual.get(name, "1"),
                key=f"{name} of {example}",
                bind="query-params",
                width=220,
            )
            _check_length(f"the value of {name}", text)
            try:
                leaves[name] = json.loads(text, parse_constant=_refuse)
            except (ValueError, RecursionError):
                raise ValueError(
                    f"for {name}, {text!r} is no number; give it a number such as 0.5, or rows "
                    "such as [[1, 2], [3, 4]]"
                ) from None
    return leaves


def _check_length(name: str, typed: str) -> None:
    if len(typed) > LONGEST:
        raise ValueError(
            f"{name} has {len(typed):,} characters, more than the {LONGEST} that are drawn; "
            "shorten it"
        )


def _refuse(constant: str) -> None:
    raise ValueError(constant)


@st.cache_resource(show_spinner=False, max_entries=128)
def _walk(text: str, leaves_as_json: str) -> Walk:
    leaves = json.loads(leaves_as_json)
    formula = Formula(text)
    worked = formula.worked(leaves)
    order = list(steps(worked.loss))
    place = {tensor: i for i, tensor in enumerate(order)}
    back = []
    with np.errstate(all="ignore"):
        for step in backward_steps(worked.loss):
            found = {place[tensor]: np.array(grad) for tensor, grad in step.gradients.items()}
            back.append((place[step.node], found))
    known = {tensor: (key, piece) for key, (tensor, piece) in worked.parts.items()}
    nodes = []
    for tensor in order:
        key, piece = known.get(tensor, ("", ""))
        slopes = measured(formula, leaves, key) if key else None
        made_by = SIGNS.get(tensor.op, tensor.op)
        parents = tuple(place[parent] for parent in tensor.parents)
        nodes.append(Node(tensor, made_by, piece, parents, slopes))
    return Walk(text, leaves, nodes, back)


def brief(array: np.ndarray) -> str:
    """Few numbers in full, with four digits; many by their shape."""
    array = np.asarray(array)
    if array.size > FEW:
        return "×".join(map(str, array.shape)) + " numbers"
    return json.dumps(
        np.vectorize(lambda x: round(float(f"{x:.4g}"), 12), otypes=[float])(array).tolist()
    )


def draw(walk: Walk, step: int) -> None:
    """The graph after so many steps: values first, then gradients."""
    forward = min(step, len(walk.nodes))
    here, gradients = known_at(walk, step)
    passed = walk.complete(step)
    lines = ["digraph {", 'bgcolor="transparent"; nodesep=0.2; ranksep=0.25;']
    lines.append(
        f'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=12, '
        f'margin="0.08,0.04", fontcolor="{INK}", color="{LINE}"]; edge [color="{LINE}"];'
    )
    for i, node in enumerate(walk.nodes):
        rows = textwrap.wrap(walk.name(i), NARROW, break_long_words=False)
        rows += [f"[{node.made_by}]"] if node.text and node.made_by else []
        rows += _rows("value", node.tensor.data) if i < forward else []
        rows += _rows("gradient", gradients[i]) if i in gradients else []
        fill = HERE if i == here else DONE if i in gradients else KNOWN if i < forward else WAITING
        label = "\\n".join(row.replace("\\", "\\\\").replace('"', "'") for row in rows)
        lines.append(f'{i} [label="{label}", fillcolor="{fill}"];')
        for parent in node.parents:
            is_back = i in passed and walk.nodes[parent].tensor.requires_grad
            look = f' [color="{DONE}", penwidth=3, dir=back]' if is_back else ""
            lines.append(f"{parent} -> {i}{look};")
    st.graphviz_chart("\n".join([*lines, "}"]), width="content")


def _rows(name: str, array: np.ndarray) -> list[str]:
    """A line for each row of a matrix: a graph of narrow nodes can be read on a phone, too."""
    rows = brief(array).replace("], [", "],\n[").splitlines()
    return [name, *rows] if len(rows) > 1 or len(rows[0]) > NARROW else [f"{name} {rows[0]}"]


def known_at(walk: Walk, step: int) -> tuple[int | None, dict[int, np.ndarray]]:
    """The node that the step is about, and the gradients known after it."""
    n = len(walk.nodes)
    if step == 0:
        return None, {}
    if step <= n:
        return step - 1, {}
    return walk.back[step - n - 1]


def say(walk: Walk, step: int) -> None:
    """What the step did, in words."""
    n = len(walk.nodes)
    here, gradients = known_at(walk, step)
    if here is None:
        st.markdown(f"{counted(n, 'node')}, and nothing worked out yet.")
        return
    node, name = walk.nodes[here], literal(walk.name(here))
    if step <= n:
        is_one = node.tensor.numel() == 1
        begins = "a number to begin with" if is_one else "numbers to begin with"
        how = f"made by **{literal(node.made_by)}** from " if node.made_by else begins
        how += " and ".join(f"`{walk.name(parent)}`" for parent in node.parents)
        st.markdown(f"Forward: **{name}** is {literal(brief(node.tensor.data))}, {how}.")
        return
    before = known_at(walk, step - 1)[1] if step > n + 1 else {}
    said = f"Backward: **{name}** has its whole gradient, {literal(brief(gradients[here]))}"
    shares = []
    for parent in dict.fromkeys(node.parents):
        if parent in gradients:
            share = gradients[parent] - before.get(parent, 0.0)
            to = f"{literal(brief(share))} to **{literal(walk.name(parent))}**"
            if parent in before:
                to += f", which had {literal(brief(before[parent]))} and now has "
                to += literal(brief(gradients[parent]))
            shares.append(to)
    said += (
        f", and passes on {'; '.join(shares)}." if shares else ". It is a leaf: here the way ends."
    )
    st.markdown(said)
