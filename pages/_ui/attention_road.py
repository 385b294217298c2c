"""One query's road through one head, step by step, with the real numbers and their shapes."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from torch import Tensor

from pages._ui.aligned_bars import Row, key_rows, softmax_rows
from pages._ui.axes import read_of_scores, shape
from pages._ui.controls import View
from pages._ui.layout import behind, quoted
from pages._ui.steps import stepper
from pages._ui.strips import strips
from tfs.interp import AttentionRoad, attention_road, qk_products
from tfs.plots import key_bars, softmax_steps
from tfs.plots.tokens import visible

MOST_VALUES = 6
STEPS = ("1 q · k", "2 scale", "3 mask", "4 softmax", "5 values", "6 W_O")


def road(view: View, layer: int, head: int, query: int, key: int | None) -> None:
    """The stepper and the step on screen: what goes in, what comes out, what it looks like."""
    step = stepper(STEPS, key="step", label="Step")
    run = view.run()[1]
    taken = attention_road(view.model, run, layer, head, query)
    who = f"the query at {query}, {quoted(view.labels[query])}"
    scale = view.model.cfg.attn_scale if view.model.cfg.use_attn_scale else 1.0
    program = f"road = attention_road(model, cache, {layer}, {head}, {query})\nresult = road."
    positions = view.model.cfg.positional_embedding_type

    def bars(field: str, unit: str) -> None:
        values = getattr(taken, field)
        key_rows([Row(unit, values, two_colours=True)], view.labels, key="road", lock=key)
        behind(
            {unit: partial(key_bars, values, view.labels, unit=unit, lock=key)},
            key="road",
            code=[attention_road],
            reads=read_of_scores(view.model.cfg, layer, values=True),
            program=view.program(program + field, attention_road),
        )

    if step == STEPS[0]:
        st.markdown(
            f"q {shape('d_head')} of {who} meets the k of every position, {shape('key_pos d_head')}"
            f": one product each, {shape('key_pos')}."
            + " Both are turned by their positions before."
            * (positions == "rotary")
        )
        bars("raw", "q · k")
    elif step == STEPS[1]:
        st.markdown(
            f"Divided by {scale:.3f}"
            + (f" = √{shape('d_head')} = √{view.model.cfg.d_head}" if _is_root(view, scale) else "")
            + ", so that the spread of the scores does not grow with the width."
        )
        bars("scaled", "score")
    elif step == STEPS[2]:
        st.markdown(_masked(view, layer, query, who))
        bars("masked", "score")
    elif step == STEPS[3]:
        _softmax(view, taken, layer, head, query)
    elif step == STEPS[4]:
        _values(view, taken, layer, head, query)
    else:
        _written(view, taken, layer, head, query)
    if step in STEPS[:2] and key is not None:
        _one_cell(view, layer, head, query, key, scaled=step == STEPS[1])


def _masked(view: View, layer: int, query: int, who: str) -> str:
    """Which scores the mask closes; before it, some models cap them or take off for distance."""
    cfg, window = view.model.cfg, view.model.cfg.windows[layer]
    closed, open_keys = len(view.tokens) - 1 - query, min(query + 1, window or query + 1)
    said = []
    if cfg.attn_scores_soft_cap > 0:
        said.append(f"A tanh keeps every score within ±{cfg.attn_scores_soft_cap:g}.")
    if cfg.positional_embedding_type == "alibi":
        said.append("ALiBi takes off each score the head's slope times its distance.")
    said.append(f"{closed} keys come after {who}")
    if gone := query + 1 - open_keys:
        said[-1] += f", {gone} lie before its window of {window}"
    said[-1] += f": their scores become minus infinity. {open_keys} stay, {shape('key_pos')}."
    return " ".join(said)


def _is_root(view: View, scale: float) -> bool:
    return math.isclose(scale, math.sqrt(view.model.cfg.d_head), rel_tol=1e-6)


def _softmax(view: View, taken: AttentionRoad, layer: int, head: int, query: int) -> None:
    """exp of each score, their sum, and the weights: in pictures, and for one key in numbers."""
    top, most = taken.masked.max(), int(taken.masked.argmax())
    exps = (taken.masked - top).exp()
    st.markdown(
        f"The largest score, {top:.3f}, is taken off all of them, which changes no weight; then "
        f"exp of each. Key {most}, {quoted(view.labels[most])}, has exp(0) = {exps[most]:.3f}. The "
        f"sum of all is {exps.sum():.3f}, so that its weight is {exps[most]:.3f} / "
        f"{exps.sum():.3f} = {taken.weights[most]:.3f}. All weights {shape('key_pos')} sum to "
        f"{taken.weights.sum():.4f}."
    )
    softmax_rows(taken.masked, exps, taken.weights, view.labels, key="road")
    behind(
        {"softmax": partial(softmax_steps, taken.masked, exps, taken.weights, view.labels)},
        key="road",
        code=[attention_road],
        reads=f"blocks.{layer}.attn.hook_attn_scores [batch head query_pos key_pos]",
        program=view.program(
            f"road = attention_road(model, cache, {layer}, {head}, {query})\n"
            "exps = (road.masked - road.masked.max()).exp()\n"
            "result = torch.stack([road.masked, exps, road.weights])",
            attention_road,
        ),
    )


def _values(view: View, taken: AttentionRoad, layer: int, head: int, query: int) -> None:
    """The values that count most, each times its weight, above the z that all of them sum to."""
    largest = taken.weights.topk(min(MOST_VALUES, query + 1)).indices.sort().values
    labels = [
        f"{taken.weights[key]:.3f} × v[{key}] '{visible(view.labels[key], 8)}'"
        for key in largest.tolist()
    ]
    st.markdown(
        f"Each v {shape('key_pos d_head')} counts with its weight {shape('key_pos')}; their sum is "
        f"z {shape('d_head')}. v\\[{int(largest[0])}] is that of position {int(largest[0])}. "
        f"The {len(largest)} largest weights are {taken.weights[largest].sum():.1%} of all."
    )
    rows = dict(zip(labels, taken.weights[largest, None] * taken.v[largest], strict=True))
    rows["sum of all: z"] = taken.z
    strips(
        rows,
        key="road",
        axis="d_head",
        code=[attention_road],
        reads=f"blocks.{layer}.attn.hook_v, hook_z [batch pos head d_head]",
        program=view.program(
            f"road = attention_road(model, cache, {layer}, {head}, {query})\n"
            f"largest = road.weights.topk({len(largest)}).indices.sort().values\n"
            "weighted = road.weights[largest, None] * road.v[largest]\n"
            "result = torch.cat([weighted, road.z[None]])",
            attention_road,
        ),
    )


def _written(view: View, taken: AttentionRoad, layer: int, head: int, query: int) -> None:
    """The way back into the stream."""
    st.markdown(
        f"z {shape('d_head')}, {taken.z.norm():.3f} long, times W_O {shape('d_head d_model')} is "
        f"what L{layer}H{head} adds to the residual stream at position {query}, "
        f"{shape('d_model')}. Its length is {taken.result.norm():.3f}."
    )
    strips(
        {"z": taken.z},
        key="z",
        axis="d_head",
        code=[attention_road],
        reads=f"blocks.{layer}.attn.hook_v [batch pos head d_head], hook_pattern "
        "[batch head query_pos key_pos]",
        program=view.program(
            f"result = attention_road(model, cache, {layer}, {head}, {query}).z", attention_road
        ),
    )
    strips(
        {"z × W_O": taken.result},
        key="road",
        code=[attention_road],
        reads=f"blocks.{layer}.attn.hook_z [batch pos head d_head]",
        program=view.program(
            f"result = attention_road(model, cache, {layer}, {head}, {query}).result",
            attention_road,
        ),
    )


def _one_cell(view: View, layer: int, head: int, query: int, key: int, *, scaled: bool) -> None:
    """q . k of a query and the locked key, taken apart: which dimensions make it."""
    scale = view.model.blocks[layer].attn.attn_scale
    products = qk_products(view.model, view.run()[1], layer, head, query, key)
    call = f"qk_products(model, cache, {layer}, {head}, {query}, {key})"
    if not scaled:
        products, call = products * scale, f"{call} * model.blocks[{layer}].attn.attn_scale"
    cell_products(
        products,
        f"{query} {quoted(view.labels[query])}",
        f"{key} {quoted(view.labels[key])}",
        scaled=scaled,
        code=[qk_products],
        reads=read_of_scores(view.model.cfg, layer),
        program=view.program(f"result = {call}", qk_products),
    )


def cell_products(
    products: Tensor,
    query: str,
    key: str,
    *,
    scaled: bool,
    code: Sequence[Callable],
    reads: str,
    program: str,
) -> None:
    """A score as the sum of its products, [d_head], of a query and a key that are named so.

    scaled: the products are divided by the scale. The other arguments are those of `figure`.
    """
    st.markdown(
        f"Query {query} with the locked key, {key}: {'its score' if scaled else 'q · k is'} "
        f"{products.sum():.3f}{' is' if scaled else ','} the sum of {len(products)} products, one "
        f"for each entry of q and k, {shape('d_head')}."
    )
    strips(
        {"q × k / scale" if scaled else "q × k": products},
        key="cell",
        axis="d_head",
        code=code,
        reads=reads,
        program=program,
    )
