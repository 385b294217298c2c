"""What kind of head is it? Scores that say where the heads of the model look on this prompt."""

import streamlit as st
from torch import Tensor

from pages._ui.controls import View
from pages._ui.layout import figure
from tfs.interp import head_scores, mirror_score
from tfs.plots import head_scores as head_scores_figure


def head_kinds(view: View, mirror: Tensor) -> None:
    """A map of each score that this prompt has a place for. mirror: that score [layer head]."""
    st.caption(
        "Mean attention to the token before, to earlier copies of the same token, to what came "
        "after those copies and, where the prompt is mirrored, to the place that has to be "
        "repeated next. A high score is a hint, not a proof."
    )
    scores = view.head_scores() | {"mirror": mirror}
    present = [kind for kind, found in scores.items() if not found.isnan().all()]
    for column, kind in zip(st.columns(max(len(present), 1)), present, strict=False):
        with column:
            function = mirror_score if kind == "mirror" else head_scores
            program = f"result = head_scores(model, tokens[None])[{kind!r}]"
            if kind == "mirror":
                program = (
                    "patterns = cache.stack_activation('pattern')\n"
                    "result = mirror_score(patterns, tokens.expand(len(patterns), -1))"
                )
            figure(
                head_scores_figure(scores[kind], kind),
                key=kind,
                code=[function],
                program=view.program(program, function),
            )
    if absent := [kind for kind in scores if kind not in present]:
        st.caption(f"No place in this prompt where such a head would look: {', '.join(absent)}.")
