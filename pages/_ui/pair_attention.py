"""The attentions of a model of two texts: all heads at a glance, one of them large, one cell."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

from pages._ui.aligned_bars import softmax_rows
from pages._ui.all_heads import COLUMNS, choose_cell, columns_of, head_names
from pages._ui.attention_road import cell_products
from pages._ui.axes import css_colour, shape
from pages._ui.cell_maps import Axis, CellMap, cell_maps
from pages._ui.components import attention_mosaic
from pages._ui.controls import lock_cell, pick_layer_and_head, pick_place
from pages._ui.key_sharing import names_with_keys, say_sharing
from pages._ui.layout import behind, quoted
from pages._ui.two_texts import TwoTexts
from tfs.interp import products_of_cell
from tfs.model.layers import Attention
from tfs.plots import attention_grid, attention_pattern, softmax_steps

WIDEST, LARGEST_CELL, LEAST = 640, 72, 280  # pixels: while little is written, cells stay small
ROWS_OF_WRITTEN = (
    "A row is a place, named by the token that is being written there. What stands there and asks "
    "is the token before that one, which was just read, and at the first place the start: columns "
    "are named by these. So every place sees itself, as the last column that is open to its row, "
    "and all that stands before it."
)
LOWEST = 100  # pixels of all rows together, so that the name of their axis stands beside them


class Part(NamedTuple):
    """One of the three attentions of a model of two texts.

    hook: the name of its layer, {} for the number. queries, keys: their tokens, all of them; rows:
    so many queries are there yet, and so are as many keys where `grows`. asks: what a query is.
    standing: where queries are named by what is written next, the tokens that stand there.
    """

    key: str
    hook: str
    queries: Sequence[str]
    keys: Sequence[str]
    rows: int
    asks: str = "query"
    grows: bool = False
    standing: Sequence[str] = ()

    @property
    def columns(self) -> int:
        return self.rows if self.grows else len(self.keys)

    def patterns(self, two: TwoTexts) -> Tensor:
        """[layer head query_pos key_pos], of all queries."""
        layers = range(two.model.cfg.n_layers)
        cache = two.run()
        return torch.stack([cache[f"{self.hook.format(n)}.hook_pattern"] for n in layers])

    def named(self, query: int) -> str:
        """A query in words: 3 'o', or 3, reading 'l' and writing 'o'."""
        if not self.standing:
            return f"{query} {quoted(self.queries[query])}"
        read, written = quoted(self.standing[query]), quoted(self.queries[query])
        return f"{query}, reading {read} and writing {written},"


class Chosen(NamedTuple):
    """A layer and a head, and the query and the key that are locked, None for none."""

    layer: int
    head: int
    query: int | None
    key: int | None

    @property
    def name(self) -> str:
        return f"L{self.layer}H{self.head}"


def cross_attention(two: TwoTexts, step: int) -> Part:
    """What each token that is written asks of the text that was read."""
    written, before, read = map(two.labels, (two.written, two.read_back, two.source))
    return Part(
        "cross", "decoder.{}.cross_attn", written, read, step, "query, writing", standing=before
    )


def encoder_attention(two: TwoTexts) -> Part:
    """What each token that is read asks of all others, before and behind it."""
    labels = two.labels(two.source)
    return Part("encoder", "encoder.{}.attn", labels, labels, len(labels))


def decoder_attention(two: TwoTexts, step: int) -> Part:
    """What each token that is written asks of those that were written before it."""
    written, before = two.labels(two.written), two.labels(two.read_back)
    return Part(
        "decoder",
        "decoder.{}.attn",
        written,
        before,
        step,
        "query, writing",
        grows=True,
        standing=before,
    )


def pick_head_and_cell(two: TwoTexts, part: Part) -> Chosen:
    """As widgets, what a click in the mosaic chooses too."""
    layer, head = pick_layer_and_head(two.model.cfg)
    with st.container(horizontal=True):
        query = pick_place(part.queries[: part.rows], "Query token", key="token")
        key = pick_place(part.keys[: part.columns], "Key token", key="key token")
    return Chosen(layer, head, query, key)


def every_head(
    two: TwoTexts, part: Part, at: Chosen, *, told: Callable[[int], str] = lambda head: ""
) -> None:
    """The mosaic; it fills as the text is written. told: what stands behind a head's name, by its
    place among all heads."""
    cfg, patterns = two.model.cfg, part.patterns(two)
    names = names_with_keys(cfg, head_names(cfg.n_layers, cfg.n_heads))
    chosen = at.layer * cfg.n_heads + at.head
    locked = {"head": chosen, "query": at.query, "key": at.key}
    attention_mosaic(
        patterns.flatten(0, 1),
        part.keys,
        query_labels=part.queries,
        open_rows=part.rows,
        key=f"{part.key} mosaic",
        names=[name + told(i) for i, name in enumerate(names)],
        columns=columns_of(cfg.n_heads, cfg.n_layers),
        chosen=chosen,
        lock=None if None in (at.query, at.key) else locked,
        on_lock=partial(choose_cell, n_heads=cfg.n_heads),
    )
    say_sharing(cfg)
    rows, columns = part.rows, part.columns
    behind(
        {
            "all heads": partial(
                attention_grid,
                patterns[..., :rows, :columns],
                part.keys[:columns],
                query_tokens=part.queries[:rows],
                columns=COLUMNS,
            )
        },
        key=f"{part.key} mosaic",
        code=[Attention.explicit_attention],
        reads=f"{part.hook.format('*')}.hook_pattern [batch head query_pos key_pos]",
        program=two.program(
            f"hooks = [f'{part.hook.format('{layer}')}.hook_pattern' for layer in "
            f"range({cfg.n_layers})]\n"
            f"result = torch.cat([cache[hook][0, :, :{rows}, :{columns}] for hook in hooks])"
        ),
    )


def one_head(
    two: TwoTexts,
    part: Part,
    at: Chosen,
    *,
    locks: bool = True,
    rings: Tensor | None = None,
    ringed: str = "",
) -> None:
    """A head's weights, large, as far as the text is written.

    locks: a click locks a cell. rings and ringed: as of cell_maps, for all queries.
    """
    rows, columns = part.rows, part.columns
    pattern = part.patterns(two)[at.layer, at.head, :rows, :columns]
    title = f"{part.hook.format(at.layer)}, head {at.head}"
    queries, keys = part.queries[:rows], part.keys[:columns]
    cell_maps(
        [CellMap(title, pattern, "weight", high=1.0)],
        Axis(part.asks, queries, css_colour("query_pos")),
        Axis("key", keys, css_colour("key_pos")),
        key=part.key,
        width=min(WIDEST, max(LEAST, LARGEST_CELL * columns)),
        row_height=math.ceil(LOWEST / rows),
        lock=(at.query, at.key) if locks and (at.query, at.key) != (None, None) else None,
        on_lock=lock_cell if locks else None,
        rings=None if rings is None else rings[:rows, :columns],
        ringed=ringed,
    )
    hook = f"{part.hook.format(at.layer)}.hook_pattern"
    behind(
        {"weight": partial(attention_pattern, pattern, keys, query_tokens=queries, title=title)},
        key=part.key,
        code=[Attention.explicit_attention],
        reads=f"{hook} [batch head query_pos key_pos]",
        program=two.program(f"result = cache[{hook!r}][0, {at.head}, :{rows}, :{columns}]"),
    )


def scores_of_query(two: TwoTexts, part: Part, at: Chosen) -> None:
    """One query's scores, the weights that softmax makes of them, and the locked cell's score taken
    apart."""
    query = part.rows // 2 if at.query is None else at.query
    if at.query is None:
        st.caption("No query is locked, so this is the one in the middle.")
    hook, keys = part.hook.format(at.layer), part.keys[: part.columns]
    scores, weights = (
        two.run()[f"{hook}.hook_{name}"][at.head, query, : part.columns]
        for name in ("attn_scores", "pattern")
    )
    exps = (scores - scores.max()).exp()
    scale = two.model.get_submodule(hook).attn_scale
    st.markdown(
        f"Query {part.named(query)} scores each key: q · k, divided by "
        f"{scale:.3f}{_is_the_root(two, scale)}. Softmax makes weights of these scores: "
        f"exp of each, less the largest, divided by the sum of all, {exps.sum():.3f}. They sum to "
        f"{weights.sum():.4f}."
    )
    softmax_rows(scores, exps, weights, keys, key="scores", lock=at.key)
    behind(
        {"softmax": partial(softmax_steps, scores, exps, weights, keys)},
        key="scores",
        code=[Attention.explicit_attention],
        reads=f"{hook}.hook_attn_scores, hook_pattern [batch head query_pos key_pos]",
        program=two.program(
            f"at = 0, {at.head}, {query}, slice({part.columns})\n"
            f"scores = cache['{hook}.hook_attn_scores'][at]\n"
            f"weights = cache['{hook}.hook_pattern'][at]\n"
            "result = torch.stack([scores, (scores - scores.max()).exp(), weights])"
        ),
    )
    if at.key is not None:
        _one_cell(two, part, at, query, at.key)


def _is_the_root(two: TwoTexts, scale: float) -> str:
    d_head = two.model.cfg.d_head
    is_root = math.isclose(scale, math.sqrt(d_head), rel_tol=1e-6)
    return f" = √{shape('d_head')} = √{d_head}" if is_root else ""


def _one_cell(two: TwoTexts, part: Part, at: Chosen, query: int, key: int) -> None:
    hook, cache = part.hook.format(at.layer), two.run()
    turned = "rot_" if two.model.cfg.positional_embedding_type == "rotary" else ""
    q, k = (cache[f"{hook}.hook_{turned}{name}"] for name in "qk")
    scale = two.model.get_submodule(hook).attn_scale
    read = ", ".join(f"cache['{hook}.hook_{turned}{name}'][0]" for name in "qk")
    cell_products(
        products_of_cell(q, k, at.head, query, key) / scale,
        part.named(query),
        f"{key} {quoted(part.keys[key])}",
        scaled=True,
        code=[products_of_cell],
        reads=f"{hook}.hook_{turned}q, hook_{turned}k [batch pos head d_head]",
        program=two.program(
            f"products = products_of_cell({read}, {at.head}, {query}, {key})\n"
            f"result = products / model.get_submodule({hook!r}).attn_scale",
            products_of_cell,
        ),
    )
