"""The stages of one block on one token's way through it, step by step, with the real numbers."""

import streamlit as st
import torch
from torch import Tensor

from pages._ui.axes import shape
from pages._ui.controls import View
from pages._ui.layout import figure, quoted
from pages._ui.steps import stepper
from pages._ui.strips import strips
from tfs.interp import layer_norm_steps
from tfs.model.block import Block
from tfs.model.layers import Attention
from tfs.model.mlps import MLP
from tfs.model.norms import LayerNormPre
from tfs.plots import block_road

READS = {
    "resid_pre": "hook_resid_pre [batch pos d_model]",
    "ln1": "ln1.hook_normalized [batch pos d_model]",
    "attn_out": "hook_attn_out [batch pos d_model]",
    "resid_mid": "hook_resid_mid [batch pos d_model]",
    "ln2": "ln2.hook_normalized [batch pos d_model]",
    "neurons": "mlp.hook_post [batch pos d_mlp]",
    "mlp_out": "hook_mlp_out [batch pos d_model]",
    "resid_post": "hook_resid_post [batch pos d_model]",
}
SOURCE = {"attn_out": Attention.forward, "neurons": MLP.forward, "mlp_out": MLP.forward}
SUMS = {"resid_mid": ("resid_pre", "attn_out"), "resid_post": ("resid_mid", "mlp_out")}


@st.fragment
def road(view: View, layer: int, token: int) -> None:
    """The stepper, the block with the stage pointed at, and what the vector is there."""
    stages = {stage.removeprefix("resid_"): stage for stage in _stages(view)}
    if st.session_state.get("stage") not in stages:
        st.session_state.pop("stage", None)  # the model before had a stage that this one lacks
    stage = stages[stepper(list(stages), key="stage", label="Stage")]
    lengths = torch.stack([_vectors(view, layer, name)[token].norm() for name in stages.values()])
    vectors = ",\n    ".join(_expression(layer, name) for name in stages.values())
    figure(
        block_road(lengths, list(stages.values()), at=stage),
        key="block",
        code=[Block.forward],
        reads=f"blocks.{layer}.{READS[stage]}",
        program=view.program(
            f"stages = [\n    {vectors},\n]\n"
            f"result = torch.stack([vectors[{token}].norm() for vectors in stages])",
            *([layer_norm_steps] if "ln1" in stages else []),
        ),
    )
    st.markdown(_said(view, layer, token, stage))
    if stage in ("ln1", "ln2"):
        norm_strips(view, layer, token, stage, key="strip of the stage")
    else:
        _strip(view, layer, token, stage)


def norm_strips(view: View, layer: int, token: int, which: str, *, key: str) -> None:
    """One token's vector before a norm, scaled, and after w and b, each on its own scale."""
    steps = layer_norm_steps(view.model, view.run()[1], layer, which)
    rows = {"before": steps.before, "normalized": steps.normalized}
    if view.model.cfg.normalization_type == "LN":
        rows["after"] = steps.after
    picked = ", ".join(f"steps.{name}[{token}]" for name in rows)
    strips(
        {name: row[token] for name, row in rows.items()},
        key=key,
        by_row=True,
        code=[layer_norm_steps, LayerNormPre.normalized],
        reads=f"blocks.{layer}.{READS[which]}, {which}.hook_scale [batch pos 1]",
        program=view.program(
            f"steps = layer_norm_steps(model, cache, {layer}, {which!r})\n"
            f"result = torch.stack([{picked}])",
            layer_norm_steps,
        ),
    )


def _stages(view: View) -> list[str]:
    """What this model's blocks have: no MLP where it is attention-only, no norms where it has none.

    The hidden layer of the MLP, hook_post, is called neurons here.
    """
    cfg = view.model.cfg
    mlp = () if cfg.attn_only else ("resid_mid", "ln2", "neurons", "mlp_out")
    every = ["resid_pre", "ln1", "attn_out", *mlp, "resid_post"]
    has_norms = cfg.normalization_type in ("LN", "LNPre")
    return [stage for stage in every if has_norms or stage not in ("ln1", "ln2")]


def _vectors(view: View, layer: int, stage: str) -> Tensor:
    """The vectors of all positions at this stage; of a norm, what is read from it."""
    cache = view.run()[1]
    if stage in ("ln1", "ln2"):
        return layer_norm_steps(view.model, cache, layer, stage).after
    return cache["post" if stage == "neurons" else stage, layer]


def _expression(layer: int, stage: str) -> str:
    """The same, as a program says it."""
    if stage in ("ln1", "ln2"):
        return f"layer_norm_steps(model, cache, {layer}, {stage!r}).after"
    return f"cache[{('post' if stage == 'neurons' else stage)!r}, {layer}]"


def _strip(view: View, layer: int, token: int, stage: str) -> None:
    """The vector of this stage; where it is a sum, its two terms above it."""
    terms = _terms(view, stage)
    labels = [terms[0], f"+ {terms[1]}", f"= {stage}"] if terms else [stage]
    names = [*terms, stage]
    picked = ", ".join(f"{_expression(layer, name)}[{token}]" for name in names)
    rows = [_vectors(view, layer, name)[token] for name in names]
    strips(
        dict(zip(labels, rows, strict=True)),
        key="strip of the stage",
        axis="d_mlp" if stage == "neurons" else "d_model",
        code=[SOURCE.get(stage, Block.forward)],
        reads=f"blocks.{layer}.{READS[stage]}",
        program=view.program(f"result = torch.stack([{picked}])"),
    )


def _terms(view: View, stage: str) -> tuple[str, ...]:
    if stage == "resid_post" and view.model.cfg.attn_only:
        return ("resid_pre", "attn_out")
    return SUMS.get(stage, ())


def _said(view: View, layer: int, token: int, stage: str) -> str:
    """The stage in words, with its shapes and this token's numbers."""
    cfg, vector = view.model.cfg, _vectors(view, layer, stage)[token]
    where, length = f"position {token}, {quoted(view.labels[token])}", f"{vector.norm():.3f}"
    if stage == "resid_pre":
        return (
            f"What block {layer} finds at {where}: everything written there so far, added up into "
            f"one vector {shape('d_model')} of length {length}."
        )
    if stage in ("ln1", "ln2"):
        steps = layer_norm_steps(view.model, view.run()[1], layer, stage)
        own = ", then each entry times its own w plus its own b" * (cfg.normalization_type == "LN")
        return (
            f"{'Attention' if stage == 'ln1' else 'The MLP'} reads a copy {shape('d_model')}: its "
            f"mean {steps.mean[token].item():.4f} taken away, the rest divided by its scale "
            f"{steps.scale[token].item():.4f}{own}. The vector on the road stays as it was."
        )
    if stage == "attn_out":
        return (
            f"What the {cfg.n_heads} heads bring from the positions they look at, "
            f"{shape('head d_model')}, summed: {shape('d_model')}, of length {length}. No other "
            "part of a block moves anything between positions."
        )
    if stage == "neurons":
        best = int(vector.argmax())
        return (
            f"The copy {shape('d_model')} times W_in {shape('d_model d_mlp')}, plus b_in, through "
            f"{cfg.act_fn}: {cfg.d_mlp} activations {shape('d_mlp')}. {int((vector > 0).sum())} "
            f"are above 0; the strongest is neuron {best} with {vector[best]:.3f}."
        )
    if stage == "mlp_out":
        return (
            f"Each neuron adds its row of W_out {shape('d_mlp d_model')}, times its activation. "
            f"With b_out that is what the MLP writes: {shape('d_model')}, of length {length}."
        )
    first, second = (_vectors(view, layer, name)[token].norm() for name in _terms(view, stage))
    return (
        f"Added entry by entry, {shape('d_model')}: lengths {first:.3f} and {second:.3f} give "
        f"{length}. Lengths do not add up, since the two point in different directions."
    )
