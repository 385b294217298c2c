"""What a mask does to a head: scores before and after, and softmax on one row, step by step."""

from functools import partial

import streamlit as st
import torch

from pages._ui.aligned_bars import softmax_rows
from pages._ui.axes import read_of_scores, shape
from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.controls import (
    View,
    lock_token,
    pick_layer_and_head,
    pick_token,
)
from pages._ui.layout import behind, counted, quoted
from pages._ui.mask_builder import Mask
from pages._ui.parts import part
from tfs.interp import attention_steps, masked_softmax
from tfs.plots import attention_pattern, attention_scores, softmax_steps

SIDE_BY_SIDE = 400  # pixels, at most: three squares in a row


@part
def head_under_mask(view: View, mask: Mask) -> None:
    """A head of the reader's choice: all its cells, then one of its rows."""
    st.subheader("What it does to a head")
    layer, head = pick_layer_and_head(view.model.cfg)
    above = st.container()
    st.subheader("What softmax makes of a closed cell")
    query = pick_token(view, "Query token")
    with above:
        _before_and_after(view, mask, layer, head, query)
    if query is None:
        query = len(view.tokens) // 2
        st.caption("None is locked, so this is the query in the middle.")
    _one_row(view, mask, layer, head, query)


def _before_and_after(view: View, mask: Mask, layer: int, head: int, query: int | None) -> None:
    """A head's scores, what the mask leaves of them, and the weights."""
    scores = attention_steps(view.model, view.run()[1], layer).scores[head]
    left = scores.masked_fill(~mask.cells, -torch.inf)
    weights = masked_softmax(scores, mask.cells)
    ends = {"high": scores.abs().max().item(), "signed": bool((scores < 0).any())}
    figures = {
        "scores": partial(attention_scores, scores, view.labels, title="scores"),
        "masked": partial(attention_scores, left, view.labels, title="masked"),
        "softmax": partial(attention_pattern, weights, view.labels, title="softmax"),
    }
    rows_alone = st.toggle("Each row by its own largest weight", key="own", bind="query-params")
    cell_maps(
        [
            CellMap("scores", scores, "score", **ends),
            CellMap("masked", left, "masked", **ends),
            CellMap("softmax", weights, "weight", high=1.0, by_row=rows_alone),
        ],
        *queries_and_keys(view.labels),
        key="head maps",
        by_row=True,
        width=SIDE_BY_SIDE,
        hint="Hover a cell; a click takes its row apart below.",
        lock=None if query is None else (query, None),
        on_lock=lambda cell: lock_token(cell and cell[0]),
    )
    behind(
        figures,
        key="head maps",
        code=[attention_steps, masked_softmax],
        reads=read_of_scores(view.model.cfg, layer),
        program=view.program(
            f"""
            {mask.code}
            scores = attention_steps(model, cache, {layer}).scores[{head}]
            masked = scores.masked_fill(~mask, -torch.inf)
            result = torch.stack([scores, masked, masked_softmax(scores, mask)])
            """,
            attention_steps,
            mask.maker,
            masked_softmax,
        ),
    )
    closed, sums = weights[~mask.cells], weights.sum(-1)
    closed_cells = "No cell is closed."
    if closed.numel():
        closed_cells = f"{counted(closed.numel(), 'closed cell')}; the largest weight on one of "
        closed_cells += f"them is {closed.max():.1f}."
    st.caption(
        f"{closed_cells} Rows sum to {sums.min():.4f} at least and {sums.max():.4f} at most."
    )


def _one_row(view: View, mask: Mask, layer: int, head: int, query: int) -> None:
    """One query: score, exp, divided by the sum; and two of its keys in numbers."""
    scores = attention_steps(view.model, view.run()[1], layer).scores[head, query]
    opened = mask.cells[query]
    left = scores.masked_fill(~opened, -torch.inf)
    st.markdown(
        f"Query {query}, {quoted(view.labels[query])}, in L{layer}H{head}: "
        f"{counted(len(scores), 'score')} {shape('key_pos')}, "
        f"{int((~opened).sum())} of them closed."
    )
    if not opened.any():
        st.info(
            "This query sees nobody: every score is replaced by −∞, and softmax would divide 0 by "
            "0. Here such a row has a weight of 0 everywhere."
        )
        return
    exps = (left - left.max()).exp()
    weights = exps / exps.sum()
    softmax_rows(left, exps, weights, view.labels, key="row")
    behind(
        {"row": partial(softmax_steps, left, exps, weights, view.labels)},
        key="row",
        code=[attention_steps, masked_softmax],
        reads=read_of_scores(view.model.cfg, layer),
        program=view.program(
            f"""
            {mask.code}
            scores = attention_steps(model, cache, {layer}).scores[{head}, {query}]
            masked = scores.masked_fill(~mask[{query}], -torch.inf)
            exps = (masked - masked.max()).exp()
            result = torch.stack([masked, exps, exps / exps.sum()])
            """,
            attention_steps,
            mask.maker,
        ),
    )
    most = int(weights.argmax())
    words = [
        f"Before exp, the largest score, {left.max():.3f}, is taken off all of them; that changes "
        "no weight, and keeps exp within 1.",
        f"**Open:** key {most}, {quoted(view.labels[most])}, scores {left[most]:.3f}, exp makes it "
        f"{exps[most]:.3f}, and over the sum of all, {exps.sum():.3f}, it is {weights[most]:.3f}.",
    ]
    if not opened.all():
        shut = int((~opened).nonzero()[-1])
        words.append(
            f"**Closed:** key {shut}, {quoted(view.labels[shut])}, scored {scores[shut]:.3f}. The "
            f"mask replaces that by −∞, exp(−∞) is {exps[shut]:g}, and {exps[shut]:g} / "
            f"{exps.sum():.3f} is exactly {weights[shut]:g}: it takes no share from the others."
        )
    st.markdown("\n".join(f"- {word}" for word in words))
