"""What kind of head is it? Scores that say where the heads of the model look on this prompt."""

from functools import partial

import streamlit as st
import torch
from torch import Tensor

from pages._ui import state
from pages._ui.controls import View
from pages._ui.head_map import head_maps
from pages._ui.layout import behind
from tfs.interp import HeadLabel, ablation_costs, head_scores, label_heads, mirror_score
from tfs.interp.labels import LEAST_COST, TIMES_OTHERS
from tfs.plots import head_scores as head_scores_figure


def head_kinds(view: View, mirror: Tensor, chosen: tuple[int, int]) -> None:
    """A map of each score that this prompt has a place for.

    mirror: that score, [layer head]. chosen: the layer and the head of the page.
    """
    st.caption(
        "Mean attention to the token before, to earlier copies of the same token, to what came "
        "after those copies and, where the prompt is mirrored, to the place that has to be "
        "repeated next. A high score is a hint, not a proof."
    )
    scores = view.head_scores() | {"mirror": mirror}
    present = {kind: found for kind, found in scores.items() if not found.isnan().all()}
    if present:
        _maps(view, present, chosen)
    if absent := [kind for kind in scores if kind not in present]:
        st.caption(f"No place in this prompt where such a head would look: {', '.join(absent)}.")
    if len(view.tokens) > 1:
        _checked(view, chosen)


def _maps(view: View, scores: dict[str, Tensor], chosen: tuple[int, int]) -> None:
    head_maps(scores, key="kinds", what=" score", chosen=chosen, high=1.0)
    program, functions = "scores = head_scores(model, tokens[None])\n", [head_scores]
    if "mirror" in scores:
        functions.append(mirror_score)
        program += (
            "patterns = cache.stack_activation('pattern')\n"
            "scores['mirror'] = mirror_score(patterns, tokens.expand(len(patterns), -1))\n"
        )
    program += f"maps = torch.stack([scores[kind] for kind in {list(scores)}])\n"
    program += "result = maps.flip(1)  # layer 0 is the lowest row"
    behind(
        {kind: partial(head_scores_figure, found, kind) for kind, found in scores.items()},
        key="kinds",
        code=functions,
        reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
        program=view.program(program, *functions),
    )


def _checked(view: View, chosen: tuple[int, int]) -> None:
    """Who deserves a name, and whether the model misses who has one."""
    st.subheader("Is it missed?")
    costs = state.ablation_costs_on_prompt(view.model, view.fingerprint, view.tokens)
    labels = label_heads(view.head_scores(), costs, torch.tensor([view.tokens]))
    st.markdown(
        "A name is a hypothesis until the head is taken out: what it finds is replaced by its mean "
        "over the positions, and the loss of the prompt is measured again."
    )
    if labels:
        st.dataframe(
            {
                "head": [f"L{label.layer}H{label.head}" for label in labels],
                "cost without it": [label.cost for label in labels],
                "check": ["confirmed" if label.confirmed else "unconfirmed" for label in labels],
                "label": [label.kind for label in labels],
                "score": [label.score for label in labels],
                "dearest without a label": [label.others for label in labels],
            },
            hide_index=True,
            placeholder="all have one",
            column_config=dict.fromkeys(
                ("score", "cost without it", "dearest without a label"),
                st.column_config.NumberColumn(format="%.3f"),
            ),
        )
        st.caption(_in_words(labels))
    else:
        st.markdown("On this prompt no head has a score that is high enough for a label.")
    name = "cost of doing without"
    head_maps({name: costs}, key="costs", what=", in nats,", chosen=chosen, signed=True)
    behind(
        {name: partial(head_scores_figure, costs, name, signed=True, value="nats")},
        key="costs",
        code=[ablation_costs, label_heads],
        reads="blocks.*.attn.hook_z [batch pos head d_head]",
        program=view.program(
            "costs = ablation_costs(model, tokens[None])\n"
            "result = costs.flip(0)  # layer 0 is the lowest row",
            ablation_costs,
        ),
    )


def _in_words(labels: list[HeadLabel]) -> str:
    """How many labels stand, and why one may not."""
    confirmed = sum(label.confirmed for label in labels)
    words = (
        "Costs are nats per predicted token. A label is confirmed where its head costs at least "
        f"{LEAST_COST:g}, and {TIMES_OTHERS:g} times what the dearest head without a label does: "
        f"{confirmed} of {len(labels)} here."
    )
    if confirmed < len(labels):
        words += (
            " An unconfirmed head may look the part and do nothing, or others may do the same, so "
            "that one of them is not missed."
        )
    return words
