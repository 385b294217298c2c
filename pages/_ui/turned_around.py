"""An experiment on the model on screen: the tokens before the last one, turned around."""

from functools import partial

import streamlit as st
import torch

from pages._ui import state
from pages._ui.axes import shape
from pages._ui.controls import View, pick_layer_and_head
from pages._ui.head_map import head_maps
from pages._ui.layout import behind, figure
from pages._ui.parts import part
from tfs.hooks import ActivationCache
from tfs.plots import head_scores, weights_twice

NOTHING = 1e-5  # smaller changes are rounding
ORDERS = ("as typed", "turned around")
TWICE = """
order = [*range(len(tokens) - 2, -1, -1), len(tokens) - 1]
_, turned = model.run_with_cache(tokens[order][None], remove_batch_dim=True)
first = cache.stack_activation("pattern")[:, :, -1]
second = turned.stack_activation("pattern")[:, :, -1, order]  # each weight back at its token
"""


@part
def turned_around(view: View) -> None:
    """Run the prompt twice, and see whether the weights of the last token follow their tokens."""
    pos = len(view.tokens)
    order = [*range(pos - 2, -1, -1), pos - 1]
    tokens = tuple(view.tokens[i] for i in order)
    if tokens == view.tokens:
        st.info(
            "Turned around, this prompt reads the same. Type three tokens or more, not all alike, "
            "to see what changes."
        )
        return
    _, turned = state.run_on_prompt(view.model, view.fingerprint, tokens)
    first = view.run()[1].stack_activation("pattern")[:, :, -1]
    second = turned.stack_activation("pattern")[:, :, -1, order]
    changes = (first - second).abs().amax(-1)
    st.markdown(
        f"The prompt is read twice: as it is, and with the {pos - 1} tokens before the last one in "
        f"reverse. Both times the last token asks, {shape('layer head key_pos')} weights in all, "
        "and we lay the weights of the same token side by side. A model that cannot tell places "
        "apart must give each token the same weight again."
    )
    _say_what_changed(view, changes.amax(-1), view.run()[1])
    layer, head = pick_layer_and_head(view.model.cfg)
    left, right = st.columns([2, 3])
    with left:
        name = "Largest change of a weight"
        head_maps({name: changes}, key="changes map", what="", chosen=(layer, head), high=1.0)
        behind(
            {name: partial(head_scores, changes, name, value="change")},
            key="changes",
            code=[ActivationCache.stack_activation],
            reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
            program=view.program(TWICE + "result = (first - second).abs().amax(-1).flip(0)"),
        )
    with right:
        figure(
            weights_twice(
                first[layer, head],
                second[layer, head],
                view.labels,
                ORDERS,
                title=f"L{layer}H{head}: weights of the last token",
            ),
            key="twice",
            code=[ActivationCache.stack_activation],
            reads=f"blocks.{layer}.attn.hook_pattern [batch head query_pos key_pos]",
            program=view.program(
                TWICE + f"result = torch.stack([first[{layer}, {head}], second[{layer}, {head}]])"
            ),
        )


def _say_what_changed(view: View, by_layer: torch.Tensor, cache: ActivationCache) -> None:
    """The verdict on layer 0, and on what the layers above know nevertheless."""
    first = by_layer[0].item()
    if first > NOTHING:
        st.markdown(
            f"**Layer 0 tells places apart:** a weight changes by up to {first:.3f}, though the "
            "tokens are the same."
        )
        return
    st.markdown(
        f"**To layer 0 the prompt is a bag of tokens:** no weight changes by more than "
        f"{first:.9f}, which is rounding."
    )
    later = by_layer[1:]
    if len(later) and later.max() > NOTHING:
        layer = int((later > NOTHING).nonzero()[0]) + 1
        st.markdown(
            f"Yet in layer {layer} one changes by {by_layer[layer]:.3f}. Below it, every position "
            "has mixed the tokens that it may see, and the causal mask shows each a different set "
            "of them: that is enough to learn something about places (Haviv et al. 2022)."
        )
