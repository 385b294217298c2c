"""The heads of two models side by side: all of them, one of them, and what each of them does."""

from functools import partial

import streamlit as st
import torch
from torch import Tensor

from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.components import attention_mosaic
from pages._ui.controls import View, lock_cell
from pages._ui.layout import behind, figure, quoted
from pages._ui.side_by_side import Pair, Places
from tfs.interp import head_scores, mirror_score
from tfs.model.layers import Attention
from tfs.plots import attention_grid, attention_pattern, weight_difference
from tfs.plots import head_scores as head_scores_figure

COLUMNS = 4  # heads side by side, in half a page


def all_heads(pair: Pair, at: Places) -> None:
    """Two mosaics; a cell that is locked in one is locked in the other."""

    def choose(cell: dict[str, int] | None, n_heads: int) -> None:
        lock_cell(cell and (cell["query"], cell["key"]))
        if cell:
            layer, head = divmod(cell["head"], n_heads)
            cfgs = [view.model.cfg for view in pair[:2]]
            if all(layer < cfg.n_layers and head < cfg.n_heads for cfg in cfgs):
                st.session_state["layer"], st.session_state["head"] = layer, head

    makers = {}
    for column, (side, view) in zip(st.columns(2), pair.sides.items(), strict=True):
        cfg, patterns = view.model.cfg, view.run()[1].stack_activation("pattern")
        chosen = at.layer * cfg.n_heads + at.head
        locked = {"head": chosen, "query": at.query, "key": at.key}
        makers[side[0]] = partial(attention_grid, patterns, view.labels, columns=COLUMNS)
        with column:
            st.markdown(f"**{side}**")
            attention_mosaic(
                patterns.flatten(0, 1),
                view.labels,
                key=f"mosaic {side[0]}",
                names=[f"L{n}H{h}" for n in range(cfg.n_layers) for h in range(cfg.n_heads)],
                columns=min(COLUMNS, cfg.n_heads if cfg.n_heads > 1 else cfg.n_layers),
                chosen=chosen,
                lock=None if None in (at.query, at.key) else locked,
                on_lock=partial(choose, n_heads=cfg.n_heads),
            )
    behind(
        makers,
        key="mosaics",
        code=[Attention.explicit_attention],
        reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
        program=pair.program(
            "result = [cache.stack_activation('pattern') for cache in (cache_a, cache_b)]"
        ),
    )


def one_head(pair: Pair, at: Places) -> None:
    """A's weights, B's, and what B has more: a hover reads all three."""
    weights = [view.run()[1]["pattern", at.layer][at.head] for view in pair[:2]]
    name, labels = f"L{at.layer}H{at.head}", pair.a.labels
    difference = weights[1] - weights[0]
    titles = [f"A: {name}", f"B: {name}", "B − A"]
    cell_maps(
        [
            CellMap(titles[0], weights[0], "A", high=1.0),
            CellMap(titles[1], weights[1], "B", high=1.0),
            CellMap(titles[2], difference, "B − A", signed=True),
        ],
        *queries_and_keys(labels),
        key="one head of both",
        lock=None if None in (at.query, at.key) else (at.query, at.key),
        on_lock=lock_cell,
    )
    behind(
        {
            "A": partial(attention_pattern, weights[0], labels, title=titles[0]),
            "B": partial(attention_pattern, weights[1], labels, title=titles[1]),
            "B − A": partial(weight_difference, difference, labels, title=titles[2]),
        },
        key="one head of both",
        code=[Attention.explicit_attention],
        reads=f"blocks.{at.layer}.attn.hook_pattern [batch head query_pos key_pos]",
        program=pair.program(
            f"""
            a, b = (cache["pattern", {at.layer}][{at.head}] for cache in (cache_a, cache_b))
            result = torch.stack([a, b, b - a])
            """
        ),
    )
    st.caption(
        "Heads of two trainings have no reason to do the same job under the same number: see "
        "“Head scores” for who does what."
    )


def scores(pair: Pair, at: Places) -> None:
    """Each kind's map, A's beside B's."""
    pair = pair.on_examples()
    if pair.why_not:
        examples = [quoted(view.bundle.tokenizer.decode(view.tokens)) for view in pair[:2]]
        st.caption(f"Each on an example of its own: A on {examples[0]}, B on {examples[1]}.")
    found = [_scores(view) for view in pair[:2]]
    kinds = [kind for kind in found[0] if not all(each[kind].isnan().all() for each in found)]
    if not kinds:
        st.info("One token alone leaves heads nothing to look at: type a longer prompt.")
    for kind in kinds:
        for column, side, each in zip(st.columns(2), "ab", found, strict=True):
            function = mirror_score if kind == "mirror" else head_scores
            read = f"head_scores(model_{side}, tokens_{side}[None])[{kind!r}]"
            if kind == "mirror":
                read = f"mirror_score(patterns, tokens_{side}.expand(len(patterns), -1))"
            with column:
                figure(
                    head_scores_figure(each[kind], f"{side.upper()}: {kind}"),
                    key=f"{kind} {side}",
                    code=[function],
                    reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
                    program=pair.program(
                        f"patterns = cache_{side}.stack_activation('pattern')\nresult = {read}",
                        function,
                    ),
                )
    if absent := [kind for kind in found[0] if kind not in kinds]:
        st.caption(f"No place where such a head would look: {', '.join(absent)}.")


def _scores(view: View) -> dict[str, Tensor]:
    patterns = view.run()[1].stack_activation("pattern")
    tokens = torch.tensor(view.tokens).expand(len(patterns), -1)
    return view.head_scores() | {"mirror": mirror_score(patterns, tokens)}
