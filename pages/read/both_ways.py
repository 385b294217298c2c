"""Both ways: an encoder reads one text, says what it was trained to say, and shows every head."""

from functools import partial

import streamlit as st

from pages._ui.both_answers import answers
from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.components import attention_mosaic
from pages._ui.controls import pick_layer_and_head
from pages._ui.layout import behind, prose
from pages._ui.one_text import pick, pick_masked
from tfs.interp import looking_back
from tfs.model.layers import Attention
from tfs.plots import attention_grid, attention_pattern

COLUMNS = 8
WIDEST = 640  # pixels

st.title("Both ways")
prose("both_ways")
one = pick_masked(pick())
cfg = one.encoder.cfg
answers(one)

st.subheader("Where every head looks")
back = st.toggle(
    "If it could only look back",
    key="back",
    bind="query-params",
    help="The same weights, read with every key after its query closed.",
)
cache, labels = one.run(back=back)[1], one.labels
patterns = cache.stack_activation("pattern")
names = [f"L{layer}H{head}" for layer in range(cfg.n_layers) for head in range(cfg.n_heads)]
read = "cache_back" if back else "cache"
code = [Attention.explicit_attention, *([looking_back] if back else [])]


def choose(cell: dict[str, int] | None) -> None:
    """A cell of the mosaic: its head becomes the large one."""
    if cell:
        st.session_state["layer"], st.session_state["head"] = divmod(cell["head"], cfg.n_heads)


layer, head = pick_layer_and_head(cfg)
attention_mosaic(
    patterns.flatten(0, 1),
    labels,
    key="both mosaic",
    names=names,
    columns=min(COLUMNS, cfg.n_heads if cfg.n_heads > 1 else cfg.n_layers),
    chosen=layer * cfg.n_heads + head,
    on_lock=choose,
)
behind(
    {"all heads": partial(attention_grid, patterns, labels, columns=COLUMNS)},
    key="both mosaic",
    code=code,
    reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
    program=one.program(
        "layers = range(model.cfg.n_layers)\n"
        f"result = torch.cat([{read}['pattern', layer][0] for layer in layers])",
        back=back,
    ),
)

name = f"L{layer}H{head}"
st.subheader(f"One head: {name}")
cell_maps(
    [CellMap(name, patterns[layer, head], "weight", high=1.0)],
    *queries_and_keys(labels),
    key="both head",
    width=WIDEST,
)
behind(
    {name: partial(attention_pattern, patterns[layer, head], labels, title=name)},
    key="both head",
    code=code,
    reads=f"blocks.{layer}.attn.hook_pattern [batch head query_pos key_pos]",
    program=one.program(f"result = {read}['pattern', {layer}][0, {head}]", back=back),
)
