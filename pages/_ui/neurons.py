"""The neurons of a block's MLP: which are active where, and which tokens one of them is for."""

import streamlit as st

from pages._ui.components import token_strip
from pages._ui.controls import View, lock_token
from pages._ui.layout import behind, figure, quoted
from tfs.hooks.stream import is_post_norm
from tfs.interp import neuron_promotes, top_neurons
from tfs.plots import neuron_map, neuron_vocabulary, position_bars, signed_bars

TOP = 8


def neurons(view: View, layer: int, token: int) -> None:
    """Which neurons are active where, and what a chosen one makes more and less likely."""
    if view.model.cfg.attn_only:
        st.info("This model is attention-only: its blocks have no MLP, so there are no neurons.")
        return
    if experts := view.model.cfg.num_experts:
        st.info(f"This model's blocks have {experts} experts instead of one MLP with its neurons.")
        return
    cache, mlp = view.run()[1], view.model.blocks[layer].mlp
    best, which = top_neurons(cache, layer, TOP)
    program = f"activations, neurons = top_neurons(cache, {layer}, {TOP})\nresult = activations"
    figure(
        neuron_map(best, which, view.labels, lock=token),
        key="neurons",
        code=[top_neurons, type(mlp).forward],
        reads=f"blocks.{layer}.mlp.hook_post [batch pos d_mlp]",
        program=view.program(program, top_neurons),
    )
    speaks = "" if is_post_norm(view.model) else ", and which tokens it speaks for and against"
    st.markdown(
        f"The strongest at position {token}, {quoted(view.labels[token])}. Choose one to see where "
        f"else it is active{speaks}."
    )
    neuron = _pick_neuron(which[token].tolist(), view.model.cfg.d_mlp)
    activation = cache["post", layer][:, neuron]
    token_strip(
        view.labels,
        key="where active",
        name=f"The prompt, coloured by the activation of neuron {neuron}",
        lock=token,
        values=activation,
        on_lock=lock_token,
    )
    title = f"Neuron {neuron}"
    behind(
        {
            title: lambda: position_bars(
                activation, view.labels, unit="activation", lock=token, title=title
            )
        },
        key="where active",
        code=[type(mlp).forward],
        reads=f"blocks.{layer}.mlp.hook_post [batch pos d_mlp]",
        program=view.program(f"result = cache['post', {layer}][:, {neuron}]"),
    )
    left, right = st.columns(2)
    with left:
        figure(
            signed_bars(
                best[token],
                [
                    f"{index} ◀" if index == neuron else f"{index}"
                    for index in which[token].tolist()
                ],
                x_title="activation",
                title=f"Position {token}",
            ),
            key="strongest",
            code=[top_neurons],
            reads=f"blocks.{layer}.mlp.hook_post [batch pos d_mlp]",
            program=view.program(f"{program}[{token}]", top_neurons),
        )
    if is_post_norm(view.model):
        right.info(
            "This model is post-norm: what a neuron writes is normalised with the stream in every "
            "block after it, and has no fixed effect on a logit. The page Logit lens reads the "
            "stream itself."
        )
        return
    with right:
        _vocabulary(view, layer, neuron)
    st.caption(
        "Logits per unit of activation, straight through the last norm's weight and the "
        f"unembedding. At position {token} neuron {neuron} is active by {activation[token]:.3f}; "
        "a negative activation turns the two lists round. What later layers make of it is left out."
    )


def _pick_neuron(strongest: list[int], d_mlp: int) -> int:
    """One of the strongest; one that was chosen at another token, or by a link, stays."""
    linked = st.query_params.get("neuron", "")
    asked = st.session_state.get("neuron", int(linked) if linked.isdecimal() else None)
    kept = [asked] if asked in range(d_mlp) and asked not in strongest else []
    neuron = st.segmented_control(
        "Neuron",
        [*strongest, *kept],
        default=strongest[0],
        required=True,
        key="neuron",
        bind="query-params",
    )
    return strongest[0] if neuron is None else neuron


def _vocabulary(view: View, layer: int, neuron: int) -> None:
    promotes = neuron_promotes(view.model, layer, neuron, TOP)
    words = view.bundle.tokenizer.str_tokens
    figure(
        neuron_vocabulary(
            promotes.promoted,
            words(promotes.promoted_ids.tolist()),
            promotes.suppressed,
            words(promotes.suppressed_ids.tolist()),
            title=f"Neuron {neuron}",
        ),
        key="vocabulary",
        code=[neuron_promotes],
        reads=f"blocks.{layer}.mlp.W_out [d_mlp d_model], unembed.W_U [d_model d_vocab]",
        program=view.program(
            f"promotes = neuron_promotes(model, {layer}, {neuron}, {TOP})\n"
            "result = torch.cat([promotes.promoted, promotes.suppressed])",
            neuron_promotes,
        ),
    )
