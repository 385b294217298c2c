"""What forgetting the mask does to the loss, measured on the model and prompt on screen."""

import math
from functools import partial

import streamlit as st
import torch
from torch import Tensor

from pages._ui import state
from pages._ui.aligned_bars import Row, aligned_bars
from pages._ui.axes import read_of_scores, shape
from pages._ui.cell_maps import Axis
from pages._ui.controls import View
from pages._ui.layout import behind, counted
from pages._ui.mask_builder import CAUSAL, MAKERS, NONE, PADDING, Mask
from pages._ui.parts import part
from pages._ui.predict import predict
from tfs.interp import causal, everyone, loss_per_position, run_with_mask
from tfs.plots import loss_by_mask

LOWER, SAME, HIGHER = ANSWERS = ("lower", "the same, within 0.01 nats", "higher")
SAME_WITHIN = 0.01  # nats


@part
def loss_without_mask(view: View, mask: Mask) -> None:
    """The question, the curves, and what was measured in a sentence."""
    pos = len(view.tokens)
    if pos < 2:
        st.info("One token has no next one to predict: type a longer prompt to measure a loss.")
        return
    if view.model.cfg.positional_embedding_type in ("rotary", "alibi"):
        st.info(
            "This model's positions act on the scores themselves, so they cannot be made anew from "
            "q and k alone: choose a model with another kind of positions."
        )
        return
    if view.model.cfg.use_local_attn:
        st.info(
            "Layers of this model see a window of positions only, not all that came before: choose "
            "a model with one causal mask to measure what it is good for."
        )
        return
    masks = {name: Mask(name, None, MAKERS[name](pos)) for name in (CAUSAL, NONE)}
    masks[mask.name] = mask
    losses = {name: _losses(view, each) for name, each in masks.items()}
    means = {name: loss.nanmean().item() for name, loss in losses.items()}
    change = means[NONE] - means[CAUSAL]
    answer = SAME if abs(change) <= SAME_WITHIN else HIGHER if change > 0 else LOWER
    measured = f"{means[CAUSAL]:.3f} nats with the causal mask, {means[NONE]:.3f} without."
    if not predict(
        "The model was trained with the causal mask. Now it is run without any, so that every "
        "position can see the very token that it has to predict. Its mean loss on this prompt "
        "will be …",
        ANSWERS,
        answer,
        f"Measured: {measured}",
        key="predict loss",
    ):
        return
    blind = math.log(view.model.cfg.d_vocab)
    aligned_bars(
        [
            Row(
                "loss",
                torch.stack(list(losses.values())),
                "of predicting each token, in nats",
                lines=list(losses),
                level=(blind, f"a blind guess, {blind:.2f} nats"),
            )
        ],
        Axis("token to predict", view.labels[1:], first=1),
        key="losses",
        height=220,
    )
    behind(
        {"losses": partial(loss_by_mask, losses, view.labels, blind=blind)},
        key="losses",
        code=[run_with_mask, loss_per_position],
        reads=read_of_scores(view.model.cfg, "*"),
        program=_program(view, masks),
    )
    st.markdown(
        f"**Measured on this prompt:** {measured} That is {abs(change):.3f} nats "
        f"{'more' if change > 0 else 'less'}, over {counted(pos - 1, 'prediction')} "
        f"{shape('pos')}; worse without the mask: {int((losses[NONE] > losses[CAUSAL]).sum())}."
    )
    if mask.name not in (CAUSAL, NONE) and not math.isnan(means[mask.name]):
        known = losses[mask.name].isfinite()
        which = " of real tokens" if mask.name == PADDING else ""
        st.markdown(
            f"With the mask above, {mask.name}: {means[mask.name]:.3f} nats over "
            f"{counted(int(known.sum()), 'prediction')}{which}; over the same the causal "
            f"mask gives {losses[CAUSAL][known].mean():.3f}."
        )
    st.caption(
        "These weights were trained under the causal mask only. A model that is trained without "
        "one would have other weights; nothing here measures what those would do."
    )


def _losses(view: View, mask: Mask) -> Tensor:
    """The loss of each prediction; NaN where what is to be predicted is padding."""
    loss = state.losses_under(
        view.model, view.fingerprint, view.tokens, mask.name, mask.setting, mask.cells
    )
    if mask.name != PADDING or not mask.setting:
        return loss
    predicts_padding = torch.arange(1, len(view.tokens)) >= len(view.tokens) - mask.setting
    return loss.masked_fill(predicts_padding, torch.nan)


def _program(view: View, masks: dict[str, Mask]) -> str:
    """Lines that compute every curve of the figure anew."""
    lines = ["result = []"]
    for mask in masks.values():
        lines += [mask.code, "logits = run_with_mask(model, tokens[None], mask)"]
        lines += ["result.append(loss_per_position(logits, tokens[None])[0])"]
        if mask.name == PADDING and mask.setting:
            lines += [f"result[-1][-{mask.setting}:] = torch.nan  # what is predicted is padding"]
    makers = {causal, everyone} | {mask.maker for mask in masks.values()}
    lines += ["result = torch.stack(result)"]
    return view.program("\n".join(lines), run_with_mask, loss_per_position, *makers)
