"""Attention: every head at a glance, one head large, and its road from scores to the stream."""

from functools import partial

import streamlit as st
import torch

from pages._ui.attention_road import road
from pages._ui.components import attention_mosaic, token_strip
from pages._ui.controls import (
    current_view,
    lock_cell,
    lock_token,
    pick_layer_and_head,
    pick_token,
)
from pages._ui.head_kinds import head_kinds
from pages._ui.key_sharing import names_with_keys, say_sharing
from pages._ui.large_head import PATTERN, WITHOUT_FIRST, weight_and_contribution
from pages._ui.layout import behind, prose
from pages._ui.predict import predict
from tfs.interp import hide_first_token, mirror_score
from tfs.model.layers import Attention
from tfs.plots import attention_grid

COLUMNS = 8

st.title("Attention")
prose("attention")
view = current_view()
cfg, (_, cache) = view.model.cfg, view.run()
tokens = torch.tensor(view.tokens).expand(cfg.n_layers, -1)
mirror = mirror_score(cache.stack_activation("pattern"), tokens)
names = [f"L{layer}H{head}" for layer in range(cfg.n_layers) for head in range(cfg.n_heads)]


def ask() -> bool:
    """Which of up to five heads, spread over all of them, does the most telling job here?"""
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


def choose(cell: dict[str, int] | None) -> None:
    """A cell of the mosaic: its head becomes the large one, its query and key are locked."""
    lock_cell(cell and (cell["query"], cell["key"]))
    if cell:
        st.session_state["layer"], st.session_state["head"] = divmod(cell["head"], cfg.n_heads)


def every_head() -> None:
    """The mosaic, with the cell that the pickers below it name."""
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
        columns=min(COLUMNS, cfg.n_heads if cfg.n_heads > 1 else cfg.n_layers),
        chosen=chosen,
        row_scale=own,
        lock=None if query is None or key is None else locked,
        on_lock=choose,
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


may_show, above = ask(), st.container()
st.subheader("One head")
layer, head = pick_layer_and_head(cfg)
name = f"L{layer}H{head}"
with st.container(horizontal=True):
    query = pick_token(view, "Query token")
    key = pick_token(view, "Key token", key="key token")
if may_show:
    with above:
        every_head()
with st.container(horizontal=True):
    turned = st.toggle("Keys as rows", key="turned", bind="query-params")
    hidden = st.toggle("Hide the first token", key="hide", bind="query-params")
    own = st.toggle(
        "Each row by its own largest value",
        key="own head",
        bind="query-params",
        help="In both maps. Shows where a row looks, and what it takes, even if it spreads its "
        "weight thin; a hover still says the number itself.",
    )
if hidden:
    st.caption(WITHOUT_FIRST)
pattern = cache["pattern", layer][head]
shown = hide_first_token(pattern) if hidden else pattern
token_strip(
    view.labels,
    key="strip",
    name=f"The prompt, coloured by the attention of {name}",
    lock=key if turned else query,
    weights=shown.T if turned else shown,
    phrase="is looked at by" if turned else "looks at",
    on_lock=lambda index: lock_token(index, "key token" if turned else "token"),
)
weight_and_contribution(
    view, layer, head, shown, locked=(query, key), hidden=hidden, turned=turned, own=own
)

st.subheader("From q and k to the residual stream")
if query is None:
    st.caption("No query is locked, so this is the one in the middle.")
road(view, layer, head, len(view.tokens) // 2 if query is None else query, key)

st.subheader("What kind of head is it?")
if may_show:
    head_kinds(view, mirror, (layer, head))
else:
    st.caption("Hidden with the picture above, until you have answered the question about it.")
