"""The block: the residual stream as a road, what attention and MLP write onto it, and with what."""

from functools import partial

import streamlit as st

from pages._ui.block_parts import layer_norm, written
from pages._ui.block_road import road
from pages._ui.components import token_strip
from pages._ui.controls import current_view, lock_token, pick_token
from pages._ui.layout import behind, prose, quoted
from pages._ui.neurons import neurons
from pages._ui.predict import predict
from tfs.hooks.stream import is_post_norm
from tfs.interp import stream_norms
from tfs.plots import position_bars

st.title("The block")
prose("block")
view = current_view()
if is_post_norm(view.model):
    st.info(
        "This model is post-norm: its norms stand after each sum, on the road itself, so a block "
        "does replace the stream by a normalised one, and attention and MLP read it as it is."
    )
cfg, (_, cache) = view.model.cfg, view.run()

with st.container(horizontal=True):
    layer = st.segmented_control(
        "Layer", range(cfg.n_layers), key="layer", bind="query-params", default=0, required=True
    )
    layer = layer if layer in range(cfg.n_layers) else 0
    locked = pick_token(view)
token = len(view.tokens) - 1 if locked is None else locked
norms = stream_norms(cache, cfg.n_layers)
lengths = norms.resid_pre[layer]
token_strip(
    view.labels,
    key="strip",
    name=f"The prompt, coloured by the length of the residual stream before block {layer}",
    lock=locked,
    values=lengths,
    on_lock=lock_token,
)
st.caption(
    f"Each token with the length of its residual stream as block {layer} finds it. "
    + ("Lock one to follow it; until then it is the last." if locked is None else "")
)
behind(
    {"lengths": partial(position_bars, lengths, view.labels, unit="length", lock=token)},
    key="strip",
    code=[stream_norms],
    reads=f"blocks.{layer}.hook_resid_pre [batch pos d_model]",
    program=view.program(
        f"result = stream_norms(cache, model.cfg.n_layers).resid_pre[{layer}]", stream_norms
    ),
)


def ask() -> bool:
    """Attention or the MLP: whose vector is longer? Without an MLP: does the stream grow?"""
    where = f"at position {token}, {quoted(view.labels[token])}, in block {layer}"
    before, after = norms.resid_pre[layer, token], norms.resid_post[layer, token]
    if cfg.attn_only:
        return predict(
            f"Does attention leave the stream {where} longer or shorter than it found it?",
            ["longer", "shorter"],
            _larger(after, before, "longer", "shorter"),
            f"It is {before:.3f} long before and {after:.3f} after.",
            key="predict length",
        )
    attn_out, mlp_out = (cache[name, layer][token].norm() for name in ("attn_out", "mlp_out"))
    return predict(
        f"Who writes the longer vector into the stream {where}?",
        ["attention", "the MLP"],
        _larger(attn_out, mlp_out, "attention", "the MLP"),
        f"Attention writes a vector of length {attn_out:.3f}, the MLP one of {mlp_out:.3f}, into a "
        f"stream that is {before:.3f} long before and {after:.3f} after.",
        key="predict writer",
    )


def _larger(left: float, right: float, larger: str, smaller: str) -> str | list[str]:
    return [larger, smaller] if left == right else larger if left > right else smaller


if ask():
    st.subheader(f"The road through block {layer}")
    road(view, layer, token)
    st.subheader("How much is written, layer by layer")
    written(view, layer, token)

st.subheader("Layer norm: before and after")
layer_norm(view, layer, token)

st.subheader("The neurons of the MLP")
neurons(view, layer, token)
