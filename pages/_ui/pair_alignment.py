"""Which word comes from which, where a task knows it; and whether the heads that look there are
missed."""

from functools import partial

import streamlit as st
import torch
from torch import Tensor

from pages._ui.axes import css_colour
from pages._ui.cell_maps import FULL_WIDTH, Axis, CellMap, cell_maps
from pages._ui.layout import behind, literal
from pages._ui.two_texts import TwoTexts
from pages._ui.what_it_knows import task_of
from tfs.interp import (
    aligned_cells,
    alignment_by_chance,
    alignment_scores,
    log_probs_without_heads,
    written_log_probs,
)
from tfs.plots import probability_rows
from tfs.tasks.grammar import GrammarTask

RINGED = "the word it comes from"
CROSS = "decoder.{}.cross_attn.hook_pattern"


def known_alignment(two: TwoTexts, step: int) -> Tensor | None:
    """[target_pos source_pos], True where a written word comes from a read one; None where the
    task does not know it, or the reader does not want it marked. Says which;
    the right text only after the last step.
    """
    if task_of(two.name) != GrammarTask.name:
        return None
    text = two.plain(two.source)
    try:
        places, true = GrammarTask().alignment(text), GrammarTask().translate(text)
    except ValueError:
        st.caption(
            "Which word comes from which is known for sentences of the grammar only, and "
            f"“{literal(text)}” is none."
        )
        return None
    wanted = two.bundle.tokenizer.encode(true)
    both = list(zip(wanted, two.written, strict=False))
    over = step == len(two.written)
    if over and not all(right == is_written for right, is_written in both):
        st.caption(
            f"The right translation is “{literal(true)}”: where the model wrote another word, "
            "nothing is marked."
        )
    if not st.toggle(
        "Mark the word that each word comes from", True, key="aligned", bind="query-params"
    ):
        return None
    known = [
        place if right == is_written else None
        for place, (right, is_written) in zip(places, both, strict=False)
    ]
    return aligned_cells(known, len(two.written), len(two.source))


def head_scores(two: TwoTexts, aligned: Tensor) -> Tensor:
    """The share of weight that each head of cross-attention has on the aligned cells, [layer
    head]."""
    cache, layers = two.run(), range(two.model.cfg.n_layers)
    return torch.stack([alignment_scores(cache[CROSS.format(i)], aligned) for i in layers])


def say_scores(two: TwoTexts, aligned: Tensor) -> None:
    """How much of its weight the best head has there, and what chance would give."""
    scores = head_scores(two, aligned).flatten()
    if scores.isnan().all():
        return
    best = int(scores.argmax())
    chance = alignment_by_chance(aligned).item()
    st.markdown(
        f"Rings mark the word that each written word comes from. **{head_name(two, best)}** looks "
        f"there most: {scores[best]:.0%} of its weight, over all words of the text; the names of "
        f"the heads above say how much the others do. Spread evenly over the "
        f"{aligned.shape[1]} words that were read, it would be {chance:.0%}."
    )


def head_name(two: TwoTexts, place: int) -> str:
    """The name of a head by its place among all heads."""
    layer, head = divmod(place, two.model.cfg.n_heads)
    return f"L{layer}H{head}"


def missed_heads(two: TwoTexts, aligned: Tensor | None, step: int) -> None:
    """How likely each token that is written so far is to the model, and without each head of
    cross-attention."""
    st.markdown(
        "A large weight is not yet an explanation: what is read there may not matter, and other "
        "heads may bring the same (Jain & Wallace 2019). So take each head of cross-attention out, "
        "its z set to zero, and ask how likely the same text is then."
    )
    whole = two.log_probs()[:step]
    without = two.log_probs_without_heads().flatten(0, 1)[:, :step]
    totals = without.sum(-1)
    names = [head_name(two, place) for place in range(len(totals))]
    rows = ["all heads", *(f"without {name}" for name in names)]
    probs = torch.cat([whole[None], without]).exp()
    labels = two.labels(two.written[:step])
    cell_maps(
        [CellMap("Probability of each written token", probs, "probability", high=1.0)],
        Axis("", rows),
        Axis("written", labels, css_colour("query_pos")),
        key="missed",
        width=FULL_WIDTH,
        row_height=26,
        flat=True,
        digits=2,
    )
    behind(
        {"probability": partial(probability_rows, probs, labels, rows)},
        key="missed",
        code=[written_log_probs, log_probs_without_heads],
        reads="decoder.*.cross_attn.hook_z [batch pos head d_head]",
        program=two.program(
            "ids = source, read_back, written\n"
            "whole = written_log_probs(model, *ids)\n"
            "without = log_probs_without_heads(model, *ids).flatten(0, 1)\n"
            f"result = torch.cat([whole, without])[:, :{step}].exp()",
            written_log_probs,
            log_probs_without_heads,
        ),
    )
    most, whole_text = int(totals.argmin()), f"{whole.sum().exp():.3f}"
    text = "The whole text" if step == len(two.written) else "What is written so far"
    said = f"{text} has probability {whole_text}."
    if aligned is not None and not (scores := head_scores(two, aligned).flatten()).isnan().all():
        best, least = int(scores.argmax()), int(scores.argmin())
        said += (
            f" Without {names[best]}, which looks most at the ringed words ({scores[best]:.0%}), "
            f"it is {totals[best].exp():.3f}; without {names[least]}, which looks there least "
            f"({scores[least]:.0%}), {totals[least].exp():.3f}."
        )
    st.markdown(f"{said} {names[most]} is missed most: {totals[most].exp():.3f} without it.")
