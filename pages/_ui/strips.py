"""Vectors as strips, one below the other: on the page as cells, in the box below as a figure."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from pages._ui.cell_maps import FULL_WIDTH, Axis, CellMap, cell_maps, numbered
from pages._ui.layout import behind
from tfs.plots import scaled_strips, vector_strip

STRIP_HEIGHT = 22  # pixels


def strips(
    rows: Mapping[str, Tensor],
    *,
    key: str,
    axis: str = "d_model",
    by_row: bool = False,
    code: Sequence[Callable],
    reads: str = "",
    program: str = "",
) -> None:
    """Vectors by name, on one scale around 0, or each on its own (by_row).

    axis: the word for their entries. The other arguments are those of `figure`.
    """
    values, names = torch.stack(list(rows.values())), list(rows)
    if by_row:
        largest = values.abs().amax(1).tolist()
        names = [f"{name} ± {most:.3g}" for name, most in zip(rows, largest, strict=True)]
    cell_maps(
        [CellMap("", values, "value", signed=True, by_row=by_row)],
        Axis("", names),
        numbered(axis, values.shape[1]),
        key=f"{key} strips",
        width=FULL_WIDTH,
        row_height=STRIP_HEIGHT,
    )
    made = scaled_strips if by_row else partial(vector_strip, axis=axis)
    behind(
        {key: partial(made, values, list(rows))},
        key=key,
        code=code,
        reads=reads,
        program=program,
    )
