"""The page of layers by hand: an input, the forward, and both gradients side by side."""

import inspect
import textwrap
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch

from pages._ui.cell_maps import CellMap, cell_maps, numbered
from pages._ui.layout import behind
from tfs.numpy_engine.by_hand import (
    MISTAKEN,
    Compared,
    GradientCheck,
    Layer,
    gradient_check,
    gradients_by_autodiff,
)
from tfs.numpy_engine.by_hand.by_autodiff import on_tensors
from tfs.numpy_engine.by_hand.check import central_differences, drawn_gradient, nudges
from tfs.plots import signed_bars

BATCH, WIDTH, D_VOCAB = 3, 4, 5
LARGEST = 1e100
CELL = 56  # pixels, wide enough for a number with its sign
LAYERS = {layer.__name__: layer for layer in MISTAKEN}
ARGUMENTS = {
    "Dense": (WIDTH, 3),
    "Embedding": (D_VOCAB, WIDTH),
    "AxisMean": (0,),
    "Dropout": (0.5,),
}
CALLED = {"x0": "u", "x1": "v"}  # what AxisDot's derivation calls its two inputs
DIFFERENCE = ", part.written - part.measured"  # shown where there is one
SEEDED = ("Dense", "Embedding", "Dropout")


class Worked(NamedTuple):
    """A layer, what goes in, what is made of it, and the lines that make them elsewhere."""

    layer: Layer
    inputs: list[np.ndarray]
    output: np.ndarray
    program: str


def edited_input(name: str, seed: int) -> np.ndarray:
    """The numbers that go in, drawn by the seed, for the reader to change."""
    draw = np.random.default_rng(seed)
    if name == "Embedding":
        ids = draw.integers(WIDTH - 1, size=WIDTH)  # one of them stands twice at least
        rows = pd.DataFrame([ids], index=["id"])
    else:
        rows = pd.DataFrame(drawn_input(seed))
    rows.columns = [str(column) for column in rows.columns]
    edited = st.data_editor(rows, key=f"input of {name} {seed}", width=90 + 90 * WIDTH)
    values = edited.to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(values).all():
        st.error("A cell of the input is empty; give every cell a number.")
        st.stop()
    if np.abs(values).max() > LARGEST:
        st.error(
            f"A number of the input is {np.abs(values).max():.3g} in size, more than {LARGEST:g}, "
            "so its sums may overflow; give every cell a smaller one."
        )
        st.stop()
    return values[0].astype(np.int64) if name == "Embedding" else values


def drawn_input(seed: int) -> np.ndarray:
    """[batch d_in] with one decimal and no 0, where ReLU has a bend and so no slope."""
    x = np.random.default_rng(seed).normal(size=(BATCH, WIDTH)).round(1)
    return np.where(x == 0, 0.1, x)


def worked(name: str, seed: int, x: np.ndarray, *, mistaken: bool) -> Worked:
    """The layer and its output. Raises ValueError for an input that it cannot take."""
    kind = MISTAKEN[LAYERS[name]] if mistaken else LAYERS[name]
    arguments = (*ARGUMENTS.get(name, ()), *([seed] if name in SEEDED else []))
    inputs, called = [x], ", ".join(map(repr, arguments))
    of_mistake = "MISTAKEN[by_hand." if mistaken else "by_hand."
    lines = [
        "import numpy as np",
        "from tfs.numpy_engine import by_hand",
        "",
        f"layer = {'by_hand.' if mistaken else ''}{of_mistake}{name}{']' * mistaken}({called})",
        f"inputs = [np.array({x.tolist()})]",
    ]
    if name == "AxisDot":
        inputs.append(np.random.default_rng(seed + 1).normal(size=(BATCH, 2, WIDTH)).round(1))
        lines.append(f"inputs.append(np.array({inputs[1].tolist()}))")
    output = kind(*arguments).forward(*inputs)
    return Worked(kind(*arguments), inputs, output, "\n".join(lines))


def show_forward(work: Worked) -> None:
    """What goes in, the weights, what comes out, and g, each as cells with its numbers."""
    names = ["u", "v"] if len(work.inputs) > 1 else ["x"]
    arrays = dict(zip(names, work.inputs, strict=True)) | work.layer.weights
    ends = {"output": work.output, "g": drawn_gradient(work.output)}
    for row in (arrays, ends):
        for column, (name, array) in zip(st.columns(3), row.items(), strict=False):
            with column:
                st.markdown(f"**{name}** {list(array.shape)}")
                cells = as_table(array)
                _maps(
                    [CellMap("", torch.tensor(cells), "value", signed=True)],
                    cells,
                    key=f"forward {name}",
                )
    behind(
        {name: partial(bars, array, name) for name, array in ends.items()},
        key="forward",
        code=[type(work.layer).forward, drawn_gradient],
        program=f"{work.program}\nfrom {drawn_gradient.__module__} import drawn_gradient\n\n"
        "output = layer.forward(*inputs)\nresult = [output, drawn_gradient(output)]",
    )


def show_backward(layer: type[Layer], *, mistaken: bool) -> None:
    """The written backward beside autodiff's way; one that is wrong stands beside the right one."""
    left, right = st.columns(2)
    with left:
        st.caption("As it should be" if mistaken else "Written by hand, from the derivation")
        source_of(layer.backward)
    if mistaken:
        wrong = MISTAKEN[layer]
        with right:
            st.caption(f"Wrong on purpose, as it is often written. {inspect.getdoc(wrong)}")
            source_of(wrong.backward)
    with st.container() if mistaken else right:
        st.caption("Left to autodiff: the forward in the smallest operations; the engine goes back")
        source_of(on_tensors.dispatch(layer))


def source_of(function: Callable) -> None:
    """As it stands in the file; long lines wrap, so that nothing is to be scrolled sideways."""
    code = textwrap.dedent(inspect.getsource(function))
    st.code(code, language="python", wrap_lines=True)


def show_check(work: Worked) -> GradientCheck:
    """For each input and weight: its gradient as written, by autodiff, as measured."""
    checked = gradient_check(work.layer, *work.inputs)
    found = gradients_by_autodiff(work.layer, *work.inputs)
    for name, part in checked.parts.items():
        apart = float(np.abs(part.written - found[name]).max(initial=0))
        st.markdown(
            f"**{CALLED.get(name, name)}**: the written gradient is {part.difference:.2g} from the "
            f"measured one and {apart:.2g} from autodiff's, at most"
        )
        pictures = in_pictures(part, found[name])
        high = float(np.abs([part.written, part.measured]).max()) or 1.0
        _maps(
            [
                CellMap(title, torch.tensor(as_table(array)), "gradient", high=high, signed=True)
                for title, array in pictures.items()
            ],
            as_table(part.written),
            key=f"check {name}",
        )
        behind(
            {title: partial(bars, array, title) for title, array in pictures.items()},
            key=f"gradient {name}",
            code=[
                type(work.layer).backward,
                on_tensors.dispatch(type(work.layer)),
                gradients_by_autodiff,
                gradient_check,
                central_differences,
            ],
            program=f"{work.program}\npart = by_hand.gradient_check(layer, *inputs)"
            f".parts[{name!r}]\n"
            f"found = by_hand.gradients_by_autodiff(layer, *inputs)[{name!r}]\n"
            f"result = [part.written, found, part.measured{DIFFERENCE * (not part.may_agree)}]",
        )
    return checked


def verdict(checked: GradientCheck, work: Worked) -> None:
    """Whether the written gradients are the measured ones, as far as measuring can tell."""
    parts = checked.parts
    if all(part.agrees for part in parts.values()):
        st.success(
            f"The written gradients are right: no number is further than {checked.largest:.2g} "
            "from the measured one.",
            icon=":material/check:",
        )
    elif type(work.layer) is LAYERS["ReLU"] and _is_at_a_bend(work.inputs[0]):
        st.info(
            "A number of the input is 0, or nearly, where ReLU has a bend: the measured slope lies "
            "between those of the two sides, and no written one can equal it. Change it to see the "
            "check pass."
        )
    elif all(part.may_agree for part in parts.values()):
        coarse = max((part for part in parts.values()), key=lambda part: part.unsure.max())
        st.info(
            "Measuring is too coarse here to tell more: beside numbers as large as these, rounding "
            f"alone may move a measured slope by {coarse.unsure.max():.2g}. The largest difference "
            f"is {checked.largest:.2g}; how far each written gradient is from autodiff's, which is "
            "exact but for rounding, stands below."
        )
    else:
        wrong = [CALLED.get(name, name) for name, part in parts.items() if not part.may_agree]
        off = max(part.difference for part in parts.values() if not part.may_agree)
        is_meant = type(work.layer) in MISTAKEN.values()
        why = f" {inspect.getdoc(type(work.layer))}" if is_meant else ""
        st.warning(
            f"A written gradient is wrong, of {' and '.join(wrong)}: the largest difference is "
            f"{off:.3g}.{why}",
            icon=":material/close:",
        )


def _is_at_a_bend(x: np.ndarray) -> bool:
    return bool((np.abs(x) <= 2 * nudges(x)).any())


def in_pictures(part: Compared, found: np.ndarray) -> dict[str, np.ndarray]:
    """The three gradients, and where the written one is wrong also by how much."""
    pictures = {"written": part.written, "by autodiff": found, "measured": part.measured}
    if not part.may_agree:
        pictures["written − measured"] = part.written - part.measured
    return pictures


def as_table(array: np.ndarray) -> np.ndarray:
    """Any array as rows and columns: the last axis across, all others down."""
    return array.reshape(-1, array.shape[-1]).astype(float)


def bars(array: np.ndarray, title: str) -> go.Figure:
    """The same numbers as bars, each named by its row and column."""
    cells = as_table(array)
    labels = [f"row {row}, column {column}" for row, column in np.ndindex(cells.shape)]
    return signed_bars(cells.ravel(), labels, x_title="value", title=title)


def _maps(maps: list[CellMap], cells: np.ndarray, *, key: str) -> None:
    rows, columns = cells.shape
    cell_maps(
        maps,
        numbered("row", rows),
        numbered("column", columns),
        key=key,
        digits=2,
        width=max(140, CELL * columns + 50),
        row_height=32,
        flat=True,
    )
