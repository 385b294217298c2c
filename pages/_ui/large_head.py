"""One head, large: its weights beside the lengths of what they bring."""

from functools import partial

import streamlit as st
from torch import Tensor

from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.controls import View, lock_cell
from pages._ui.layout import behind
from tfs.interp import hide_first_token, value_weighted
from tfs.model.layers import Attention
from tfs.plots import attention_contributions, attention_pattern

PATTERN = "attn.hook_pattern [batch head query_pos key_pos]"
WIDEST = 760  # pixels: two of them fill a projector, and each still fits its height
WITHOUT_FIRST = (
    "In the strip and the map of weights, the weight on the first token is taken out and each row "
    "is scaled to sum to 1 again. Many heads rest on the first token when they have nothing to do, "
    "and that hides what else they look at; the scaled weights are not what the model used. So the "
    "lengths beside them stay as they are: they say what the head wrote with the model's own "
    "weights, the first token's part included. All heads above and the steps below are the model's "
    "as well."
)


def weight_and_contribution(
    view: View,
    layer: int,
    head: int,
    shown: Tensor,
    *,
    locked: tuple[int | None, int | None],
    hidden: bool,
    turned: bool,
    own: bool,
) -> None:
    """One head's pattern, as it is `shown`, beside the lengths of what its weights bring.

    locked: the query and the key, None for what the reader has not chosen; own: each row is as
    bright as its own largest number allows.
    """
    cache, name = view.run()[1], f"L{layer}H{head}"
    lengths = value_weighted(view.model, cache, layer)[head]
    pictures = {"weight": (shown, attention_pattern), "length": (lengths, attention_contributions)}
    titles = {
        "weight": f"{name}: weight{' without the first token' * hidden}",
        "length": f"{name}: length of what arrives",
    }
    figures = {
        what: partial(draw, values, view.labels, title=titles[what], keys_as_rows=turned)
        for what, (values, draw) in pictures.items()
    }
    cell_maps(
        [
            CellMap(titles[what], values.T if turned else values, what, high=high, by_row=own)
            for (what, (values, _)), high in zip(pictures.items(), (1.0, None), strict=True)
        ],
        *queries_and_keys(view.labels, turned),
        key="large",
        width=WIDEST,
        lock=None if locked == (None, None) else locked[::-1] if turned else locked,
        on_lock=lambda cell: lock_cell(cell[::-1] if cell and turned else cell),
    )
    also = [hide_first_token] if hidden else []
    read = f"cache['pattern', {layer}][{head}]"
    change = f"hide_first_token({read})" if hidden else read
    turn = ".transpose(1, 2)" if turned else ""
    behind(
        figures,
        key="large",
        code=[Attention.explicit_attention, *also, value_weighted],
        reads=f"blocks.{layer}.attn.hook_v [batch pos head d_head], {PATTERN}",
        program=view.program(
            f"weight = {change}\n"
            f"length = value_weighted(model, cache, {layer})[{head}]\n"
            f"result = torch.stack([weight, length]){turn}",
            *also,
            value_weighted,
        ),
    )
    st.caption(
        f"Left the {'scaled ' * hidden}weight; right the length of what arrives, the norm of "
        f"{'the model’s own ' * hidden}weight × v × W_O. They differ where values are short: a "
        "head can look at a token and take almost nothing from it."
    )
