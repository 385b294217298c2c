"""Vectors as strips, one below the other: on the page as cells, in the box below as a figure."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pages._ui.cell_maps import FULL_WIDTH, Axis, CellMap, cell_maps, numbered
from pages._ui.layout import behind
from tfs.plots import vector_strip

STRIP_HEIGHT = 22  # pixels


def strips(
    rows: Mapping[str, Tensor],
    *,
    key: str,
    axis: str = "d_model",
    code: Sequence[Callable],
    reads: str = "",
    program: str = "",
) -> None:
    """Vectors by name, on one scale around 0; axis: the word for their entries.

    The other arguments are those of `figure`.
    """
    values = torch.stack(list(rows.values()))
    cell_maps(
        [CellMap("", values, "value", signed=True)],
        Axis("", list(rows)),
        numbered(axis, values.shape[1]),
        key=f"{key} strips",
        width=FULL_WIDTH,
        row_height=STRIP_HEIGHT,
    )
    behind(
        {key: lambda: vector_strip(values, list(rows), axis=axis)},
        key=key,
        code=code,
        reads=reads,
        program=program,
    )
