"""Writing on, token by token, with the attention that each new token was written under."""

import streamlit as st
from torch import Tensor

from pages._ui import state
from pages._ui.components import token_strip
from pages._ui.controls import View, pick_layer_and_head
from pages._ui.layout import figure, quoted
from pages._ui.sampling import Draw
from pages._ui.steps import counter
from tfs.decoding import generate_with_attention
from tfs.plots import key_bars
from tfs.plots.tokens import visible


def token_by_token(view: View, draw: Draw, room: int) -> None:
    """Up to `room` new tokens; for the newest, where the position that wrote it looked."""
    at = counter(
        room, key="new", label="New tokens", name="Token", back="One back", forward="Next token"
    )
    if not at:
        st.markdown("Nothing is written yet: press **Next token**, or the right arrow key.")
        return
    steps = state.written_from_prompt(
        view.model, view.fingerprint, draw.start, room, seed=draw.seed, **draw.cuts
    )
    newest, read = steps[at - 1], [*draw.start, *(step.token for step in steps[: at - 1])]
    labels = view.bundle.tokenizer.str_tokens(read)
    (token,) = view.bundle.tokenizer.str_tokens([newest.token])
    st.markdown(
        f"**{quoted(token)}** was drawn with probability {newest.probs[newest.token]:.4f}, by "
        f"position {len(read) - 1}, {quoted(labels[-1])}. Where did that position look?"
    )
    layer, head = pick_layer_and_head(view.model.cfg)
    mean = st.toggle("Mean over all heads of the layer", True, key="mean", bind="query-params")
    weights = newest.pattern[layer].mean(0) if mean else newest.pattern[layer, head]
    who = f"layer {layer}, mean over heads" if mean else f"L{layer}H{head}"
    most = int(weights.argmax())
    st.markdown(
        f"Most at position {most}, {quoted(labels[most])}, with weight {weights[most]:.4f} ({who})."
    )
    token_strip(
        labels,
        key="newest",
        name=f"All tokens read, coloured by the newest one's attention, {who}",
        values=weights,
    )
    figure(
        key_bars(weights, labels, unit="weight", title=f"Position {len(read) - 1} looks, {who}"),
        key="newest",
        code=[generate_with_attention],
        reads=f"blocks.{layer}.attn.hook_pattern [batch head query_pos key_pos]",
        program=view.program(
            f"steps = list(generate_with_attention(model, tokens[None, :{len(draw.start)}], {at}, "
            f"{draw.arguments}, seed={draw.seed}, when_full='stop'))\n"
            f"result = steps[-1].pattern[{layer}]{'.mean(0)' if mean else f'[{head}]'}",
            generate_with_attention,
        ),
    )
    _every_head(newest.pattern, labels)


def _every_head(pattern: Tensor, labels: list[str]) -> None:
    """Where each head of the model looks most, from the newest position."""
    largest = pattern.max(-1)
    heads = [(layer, head) for layer in range(len(pattern)) for head in range(pattern.shape[1])]
    places = [largest.indices[cell].item() for cell in heads]
    st.caption("Where each head looks most, from the same position:")
    st.dataframe(
        {
            "head": [f"L{layer}H{head}" for layer, head in heads],
            "position": places,
            "token": [visible(labels[place]) for place in places],
            "weight": [largest.values[cell].item() for cell in heads],
        },
        hide_index=True,
    )
