"""The stages of one block on one token's way through it, step by step, with the real numbers."""

from collections.abc import Callable

import streamlit as st
import torch
from torch import Tensor

from pages._ui.axes import shape
from pages._ui.controls import View
from pages._ui.layout import figure, quoted
from pages._ui.steps import stepper
from pages._ui.strips import strips
from tfs.hooks.stream import is_post_norm
from tfs.interp import layer_norm_steps
from tfs.model.layers import Attention
from tfs.model.norms import LayerNormPre, RMSNormPre
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
        block_road(
            lengths,
            list(stages.values()),
            at=stage,
            on_road=("ln1", "ln2") if is_post_norm(view.model) else (),
        ),
        key="block",
        code=[_block(view)],
        reads=f"blocks.{layer}.{READS[stage]}",
        program=view.program(
            f"stages = [\n    {vectors},\n]\n"
            f"result = torch.stack([vectors[{token}].norm() for vectors in stages])",
            *_needed(list(stages)),
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
    if view.model.cfg.normalization_type in ("LN", "RMS"):
        rows["after"] = steps.after
    picked = ", ".join(f"steps.{name}[{token}]" for name in rows)
    strips(
        {name: row[token] for name, row in rows.items()},
        key=key,
        by_row=True,
        code=[layer_norm_steps, _norm(view)],
        reads=f"blocks.{layer}.{READS[which]}, {which}.hook_scale [batch pos 1]",
        program=view.program(
            f"steps = layer_norm_steps(model, cache, {layer}, {which!r})\n"
            f"result = torch.stack([{picked}])",
            layer_norm_steps,
        ),
    )


def _stages(view: View) -> list[str]:
    """What this model's blocks have: no MLP where it is attention-only, no norms where it has none.

    The hidden layer of the MLP, hook_post, is called neurons here; a mixture of experts has many. A
    parallel block has no stream between attention and the MLP; the norms of a post-norm block stand
    after the sums.
    """
    cfg = view.model.cfg
    mlp = () if cfg.attn_only else ("resid_mid", "ln2", "neurons", "mlp_out")
    lacks = {"resid_mid"} if cfg.parallel_attn_mlp else set()
    lacks |= {"neurons"} if cfg.num_experts else set()
    lacks |= {"ln1", "ln2"} if cfg.normalization_type is None else set()
    every = ["resid_pre", "ln1", "attn_out", *mlp, "resid_post"]
    if is_post_norm(view.model):
        mlp = () if cfg.attn_only else ("resid_mid", "ln1", "neurons", "mlp_out")
        every = ["resid_pre", "attn_out", *mlp, "resid_post", "ln1" if cfg.attn_only else "ln2"]
    return [stage for stage in every if stage not in lacks]


def _block(view: View) -> Callable:
    """The code of this model's blocks."""
    return type(view.model.blocks[0]).forward


def _norm(view: View) -> Callable:
    rms = view.model.cfg.normalization_type in ("RMS", "RMSPre")
    return (RMSNormPre if rms else LayerNormPre).normalized


def _source(view: View, layer: int, stage: str) -> Callable:
    """The code that computes a stage."""
    if stage == "attn_out":
        return Attention.forward
    if stage in ("neurons", "mlp_out"):
        return type(view.model.blocks[layer].mlp).forward
    return _block(view)


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


def _needed(stages: list[str]) -> list[Callable]:
    """What a program must import to say them."""
    return [layer_norm_steps] if {"ln1", "ln2"} & set(stages) else []


def _strip(view: View, layer: int, token: int, stage: str) -> None:
    """The vector of this stage; where it is a sum, its two terms above it."""
    terms = _terms(view, stage)
    added = [f"+ {term}" for term in terms[1:]]
    labels = [terms[0], *added, f"= {stage}"] if terms else [stage]
    names = [*terms, stage]
    picked = ", ".join(f"{_expression(layer, name)}[{token}]" for name in names)
    rows = [_vectors(view, layer, name)[token] for name in names]
    strips(
        dict(zip(labels, rows, strict=True)),
        key="strip of the stage",
        axis="d_mlp" if stage == "neurons" else "d_model",
        code=[_source(view, layer, stage)],
        reads=f"blocks.{layer}.{READS[stage]}",
        program=view.program(f"result = torch.stack([{picked}])", *_needed(names)),
    )


def _terms(view: View, stage: str) -> tuple[str, ...]:
    if stage == "resid_post" and view.model.cfg.attn_only:
        return ("resid_pre", "attn_out")
    if stage == "resid_post" and view.model.cfg.parallel_attn_mlp:
        return ("resid_pre", "attn_out", "mlp_out")
    if stage == "resid_post" and is_post_norm(view.model):
        return ("ln1", "mlp_out")
    return SUMS.get(stage, ())


def _said(view: View, layer: int, token: int, stage: str) -> str:
    """The stage in words, with its shapes and this token's numbers."""
    cfg, vector = view.model.cfg, _vectors(view, layer, stage)[token]
    where, length = f"position {token}, {quoted(view.labels[token])}", f"{vector.norm():.3f}"
    if stage == "resid_pre":
        if is_post_norm(view.model):
            return (
                f"What block {layer} finds at {where}: one vector {shape('d_model')} of length "
                f"{length}, {'normalised by the block before' if layer else 'the embedding'}. "
                "Attention reads it as it is."
            )
        return (
            f"What block {layer} finds at {where}: everything written there so far, added up into "
            f"one vector {shape('d_model')} of length {length}."
        )
    if stage in ("ln1", "ln2"):
        steps = layer_norm_steps(view.model, view.run()[1], layer, stage)
        kind, scale = cfg.normalization_type, f"{steps.scale[token].item():.4f}"
        own = {"LN": ", then each entry times its own w plus its own b"}
        own["RMS"] = ", then each entry times its own w"
        centred = f"mean {steps.mean[token].item():.4f} taken away, the rest divided by its scale"
        if kind in ("RMS", "RMSPre"):
            centred = "entries divided by the root of their mean square,"
        if is_post_norm(view.model):
            reader = "the MLP" if stage == "ln1" and not cfg.attn_only else "what comes next"
            return (
                f"The road itself goes through the norm, {shape('d_model')}: its {centred} "
                f"{scale}{own.get(kind, '')}. That is what {reader} reads, and what the stream is "
                "from here on."
            )
        return (
            f"{'Attention' if stage == 'ln1' else 'The MLP'} reads a copy {shape('d_model')}: its "
            f"{centred} {scale}{own.get(kind, '')}. The vector on the road stays as it was."
        )
    if stage == "attn_out":
        return (
            f"What the {cfg.n_heads} heads bring from the positions they look at, "
            f"{shape('head d_model')}, summed: {shape('d_model')}, of length {length}. No other "
            "part of a block moves anything between positions."
        )
    if stage == "neurons":
        best = int(vector.argmax())
        W_in = f"times W_in {shape('d_model d_mlp')}"
        made = f"{W_in}, plus b_in, through {cfg.act_fn}"
        if cfg.gated_mlp:
            made = f"{W_in}, each entry let through by its gate, {cfg.act_fn} of the same copy "
            made += "times W_gate, plus b_in"
        return (
            f"The copy {shape('d_model')} {made}: {cfg.d_mlp} activations {shape('d_mlp')}. "
            f"{int((vector > 0).sum())} are above 0; the strongest is neuron {best} with "
            f"{vector[best]:.3f}."
        )
    if stage == "mlp_out" and cfg.num_experts:
        return (
            f"Of {cfg.num_experts} experts, MLPs of their own, a router sends this token to "
            f"{cfg.experts_per_token}; what they answer, weighted and summed, is "
            f"{shape('d_model')}, of length {length}."
        )
    if stage == "mlp_out":
        return (
            f"Each neuron adds its row of W_out {shape('d_mlp d_model')}, times its activation. "
            f"With b_out that is what the MLP writes: {shape('d_model')}, of length {length}."
        )
    lengths = [_vectors(view, layer, name)[token].norm() for name in _terms(view, stage)]
    listed = " and ".join(f"{norm:.3f}" for norm in lengths)
    return (
        f"Added entry by entry, {shape('d_model')}: lengths {listed} give {length}. Lengths do not "
        "add up, since the vectors point in different directions."
    )
