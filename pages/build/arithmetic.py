"""Arithmetic: parameters, FLOPs and memory of the model on screen, term by term."""

import re

import pandas as pd
import streamlit as st

from pages._ui.controls import current_view
from pages._ui.layout import counted, figure, prose
from pages._ui.predict import predict
from tfs.arithmetic import (
    Term,
    forward_flops_terms,
    kv_cache_terms,
    parameter_terms,
    readable_bytes,
    readable_count,
    total,
    weight_bytes,
)
from tfs.plots import kv_growth, stacked_terms

PARTS = {  # what a weight's path holds: what the reader calls the part
    ".embed": "the embedding",
    ".pos_embed": "the positions",
    ".attn": "attention",
    ".mlp": "the MLPs",
    ".ln": "the norms",
    ".unembed": "the unembedding",
}

WIDTH_OF_VALUES = 120  # pixels, for a hundred million with its commas

st.title("Arithmetic")
prose("arithmetic")
view = current_view()
cfg, pos = view.model.cfg, len(view.tokens)


def table(terms: list[Term]) -> None:
    """All the terms, with thousands set apart as everywhere on the page."""
    rows = pd.DataFrame(
        {
            "term": [term.name for term in terms],
            "value": [term.value for term in terms],
            "formula": [term.formula for term in terms],
            "with this model's numbers": [with_commas(term.substituted) for term in terms],
        }
    )
    st.dataframe(
        rows.style.format({"value": "{:,}"}),
        hide_index=True,
        height="content",
        column_config={"value": st.column_config.NumberColumn(width=WIDTH_OF_VALUES)},
    )


def with_commas(product: str) -> str:
    """A product such as 4 * 1024 with its thousands set apart: 4 * 1,024."""
    return re.sub(r"\d+", lambda number: f"{int(number[0]):,}", product)


def by_part(terms: list[Term]) -> dict[str, int]:
    """Parameters of each kind of part, all layers together, in the order of the model."""
    sizes: dict[str, int] = {}
    for term in terms:
        part = next(part for path, part in PARTS.items() if path in f".{term.name}")
        sizes[part] = sizes.get(part, 0) + term.value
    return sizes


st.subheader("Parameters")
terms = parameter_terms(cfg)
in_memory = sum(parameter.numel() for parameter in view.model.parameters())
left, middle, right = st.columns(3)
left.metric("By formula", f"{total(terms):,}")
middle.metric("Counted in memory", f"{in_memory:,}")
right.metric("Bytes of weights", readable_bytes(weight_bytes(cfg)))
if cfg.tie_word_embeddings:
    st.caption(
        "W_U shares W_E's numbers here: it is the same table read the other way round "
        "(tie_word_embeddings), so it is counted once, as embed.W_E, and there is no b_U. To "
        "multiply by it costs as much as ever, so it stands among the operations below."
    )
sizes = by_part(terms)
most = max(sizes, key=sizes.__getitem__)
if predict(
    "Which part holds most of this model's parameters?",
    list(sizes),
    [part for part in sizes if sizes[part] == sizes[most]],
    f"{most.capitalize()}: {sizes[most]:,} of {total(terms):,}, {sizes[most] / total(terms):.1%}.",
    key="predict part",
):
    figure(
        stacked_terms([term.name for term in terms], [term.value for term in terms], "parameters"),
        key="parameters",
        code=[parameter_terms],
        program=view.program(
            "result = [term.value for term in parameter_terms(model.cfg)]", parameter_terms
        ),
    )
    table(terms)

st.subheader("Floating-point operations of one forward pass")
flops = forward_flops_terms(cfg, pos)
st.metric(f"On the prompt, {counted(pos, 'token')}", f"{readable_count(total(flops))}FLOPs")
figure(
    stacked_terms([term.name for term in flops], [term.value for term in flops], "FLOPs"),
    key="flops",
    code=[forward_flops_terms],
    program=view.program(
        f"result = [term.value for term in forward_flops_terms(model.cfg, pos={pos})]",
        forward_flops_terms,
    ),
)
table(flops)

st.subheader("Memory of the KV cache")
batch = st.slider("Sequences at once", 1, 64, 1, key="batch", bind="query-params")
kv = kv_cache_terms(cfg, pos, batch)
lengths = list(range(1, cfg.n_ctx + 1))
left, right = st.columns(2)
left.metric(f"After {counted(pos, 'token')}", readable_bytes(total(kv)))
right.metric(
    f"Full context, {counted(cfg.n_ctx, 'token')}",
    readable_bytes(total(kv_cache_terms(cfg, cfg.n_ctx, batch))),
)
figure(
    kv_growth(lengths, [total(kv_cache_terms(cfg, length, batch)) for length in lengths]),
    key="kv",
    code=[kv_cache_terms],
    program=view.program(
        "lengths = range(1, model.cfg.n_ctx + 1)\n"
        f"result = [total(kv_cache_terms(model.cfg, pos, {batch})) for pos in lengths]",
        kv_cache_terms,
        total,
    ),
)
table(kv)
