"""All heads of a model that reads one text, at a glance; and the question that comes before."""

from functools import partial

import streamlit as st
from torch import Tensor

from pages._ui.components import attention_mosaic
from pages._ui.controls import View, lock_cell
from pages._ui.key_sharing import names_with_keys, say_sharing
from pages._ui.large_head import PATTERN
from pages._ui.layout import behind
from pages._ui.predict import predict
from tfs.model.layers import Attention
from tfs.plots import attention_grid

COLUMNS = 8


def head_names(n_layers: int, n_heads: int) -> list[str]:
    """Of all heads, layer by layer."""
    return [f"L{layer}H{head}" for layer in range(n_layers) for head in range(n_heads)]


def ask_which_head(view: View, mirror: Tensor) -> bool:
    """Which of up to five heads, spread over all of them, does the most telling job here?

    mirror: that score, [layer head]. Returns whether the answer may be on the page.
    """
    names = head_names(view.model.cfg.n_layers, view.model.cfg.n_heads)
    scores, where = view.head_scores()["previous token"].flatten(), "the token just before"
    if not mirror.isnan().all():
        scores, where = mirror.flatten(), "the mirrored place, whose token has to come next"
    if len(names) < 2 or scores.isnan().all():
        return True
    best = int(scores.argmax())
    few = sorted({best, *range(0, len(names), -(-len(names) // 4))})
    said = [f"{score:.2f}" for score in scores.tolist()]
    right = [i for i in few if said[i] == said[best]]
    because = [f"{names[best]} gives it {said[best]} of its weight on average over this prompt."]
    if others := ", ".join(names[i] for i in right if i != best):
        because.append(f"Right as well, since equal in these two digits: {others}.")
    return predict(
        f"Which of these heads looks most at {where}?",
        [names[i] for i in few],
        [names[i] for i in right],
        " ".join(because),
        key="predict head",
    )


def choose_cell(cell: dict[str, int] | None, n_heads: int) -> None:
    """A cell of a mosaic: its head becomes the large one, its query and key are locked."""
    lock_cell(cell and (cell["query"], cell["key"]))
    if cell:
        st.session_state["layer"], st.session_state["head"] = divmod(cell["head"], n_heads)


def columns_of(n_heads: int, n_layers: int) -> int:
    """How many heads stand side by side."""
    return min(COLUMNS, n_heads if n_heads > 1 else n_layers)


def every_head(view: View, layer: int, head: int, query: int | None, key: int | None) -> None:
    """The mosaic, with the cell that the pickers below it name."""
    cfg, cache = view.model.cfg, view.run()[1]
    names = head_names(cfg.n_layers, cfg.n_heads)
    st.subheader(f"All {len(names)} heads")
    own = st.toggle(
        "Each row by its own largest weight",
        key="own",
        bind="query-params",
        help="Shows where a row looks even if it spreads its weight thin, as over a long prompt. "
        "A hover still says the weight itself.",
    )
    chosen = layer * cfg.n_heads + head
    locked = {"head": chosen, "query": query, "key": key}
    attention_mosaic(
        cache.stack_activation("pattern").flatten(0, 1),
        view.labels,
        key="mosaic",
        names=names_with_keys(cfg, names),
        columns=columns_of(cfg.n_heads, cfg.n_layers),
        chosen=chosen,
        row_scale=own,
        lock=None if query is None or key is None else locked,
        on_lock=partial(choose_cell, n_heads=cfg.n_heads),
    )
    say_sharing(cfg)
    behind(
        {
            "all heads": partial(
                attention_grid, cache.stack_activation("pattern"), view.labels, columns=COLUMNS
            )
        },
        key="mosaic",
        code=[Attention.explicit_attention],
        reads=f"blocks.*.{PATTERN}",
        program=view.program("result = cache.stack_activation('pattern').flatten(0, 1)"),
    )
