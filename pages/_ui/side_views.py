"""The views that two models can be opened in side by side, and what each needs of the two."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from pages._ui import state
from pages._ui.formation import MOST_LOSSES
from pages._ui.layout import figure, quoted
from pages._ui.replay import last_step, loss_history
from pages._ui.side_answers import lenses, output
from pages._ui.side_by_side import Pair, Places
from pages._ui.side_heads import all_heads, one_head, scores
from tfs.interp import pca, stream_norms
from tfs.plots import norm_lines, over_training, scatter_2d
from tfs.train.run import read_metrics

MUCH_LONGER = 10
MEASURED = """
def losses(bundle, every):  # an update's loss is measured before it
    metrics = read_metrics(bundle.directory)
    found = [(line["step"] - 1, line["loss"]) for line in metrics]
    if metrics and metrics[-1]["held_out"]:
        found.append((metrics[-1]["step"], metrics[-1]["held_out"]["loss"]))
    return [loss for step, loss in found[::every] if step >= {first}]


result = [losses(bundle_a, {every[0]}), losses(bundle_b, {every[1]})]
"""


class SideView(NamedTuple):
    """has_places: a layer, a head or tokens can be chosen in it."""

    draw: Callable[[Pair, Places], None]
    may_open: Callable[[Pair], bool]
    has_places: bool = True


def pick_view(pair: Pair) -> SideView:
    """One of the views that these two can be opened in, kept in the URL."""
    options = [name for name, view in VIEWS.items() if view.may_open(pair)]
    if st.session_state.get("view", options[0]) not in options:
        del st.session_state["view"]
    chosen = st.segmented_control(
        "View", options, default=options[0], required=True, key="view", bind="query-params"
    )
    return VIEWS[chosen if chosen in options else options[0]]


def loss(pair: Pair, at: Places) -> None:
    """Both losses over the updates, with a line where each model stands."""
    log_steps = st.toggle(
        "Steps in powers", key="powers", bind="query-params", help="Step 0 has no place there."
    )
    measured = [loss_history(view.name) for view in pair[:2]]
    if not any(measured):
        st.info("Neither of the two has a log of its losses, so there is no curve to draw.")
        return
    every = [max(1, len(each) // MOST_LOSSES) for each in measured]
    curves = {
        side: ([s for s, _ in each[::n]], [value for _, value in each[::n]])
        for side, each, n in zip(pair.sides, measured, every, strict=True)
    }
    marks = [last_step(v.name) if v.step is None else v.step for v in pair[:2]]
    figure(
        over_training({"loss": curves}, mark=marks, log_steps=log_steps),
        key="both losses",
        height=380,
        code=[read_metrics],
        program=pair.program(MEASURED.format(first=int(log_steps), every=every), read_metrics),
    )
    shorter, longer = sorted(last_step(view.name) for view in pair[:2])
    if longer >= MUCH_LONGER * shorter > 0 and not log_steps:
        st.caption(
            f"One training is {longer / shorter:.0f} times as long as the other: with steps in "
            "powers both can be read."
        )
    st.caption(
        "Nats per token, each on its own task; dotted lines say where A and B stand. Two losses "
        "can be compared only where task and vocabulary are the same."
    )


def embeddings(pair: Pair, at: Places) -> None:
    """The prompt's tokens among the first two principal components of each one's W_E."""
    place, rows = at.token(pair), sorted(set(pair.a.tokens))
    for column, (side, view) in zip(st.columns(2), pair.sides.items(), strict=True):
        W_E, of = view.model.W_E, side[0].lower()
        points, explained = state.projection(W_E, view.fingerprint, "W_E", None, 2)
        with column:
            st.markdown(f"**{side}**")
            figure(
                scatter_2d(
                    points[rows],
                    view.bundle.tokenizer.str_tokens(rows),
                    explained=explained.tolist(),
                    lock=rows.index(view.tokens[place]),
                ),
                key=f"plane {of}",
                code=[pca],
                reads="embed.W_E [d_vocab d_model]",
                program=pair.program(f"result = pca(model_{of}.W_E, 2)[0][{rows}]", pca),
            )
    st.caption(
        "The components are those of the whole vocabulary, each model's own: directions and signs "
        "of two trainings have nothing to do with each other, only who lies near whom can be "
        f"compared. The ring is around {quoted(pair.a.labels[place])}."
    )


def norms(pair: Pair, at: Places) -> None:
    """The length of what attention and MLP wrote in every layer of both, at one token."""
    place = at.token(pair)
    lines = {}
    for side, view in zip("AB", pair[:2], strict=True):
        found = stream_norms(view.run()[1], view.model.cfg.n_layers)
        for what, lengths in (("attention", found.attn_out), ("MLP", found.mlp_out)):
            if lengths is not None:
                lines[f"{side}: {what}"] = lengths[:, place]
    st.markdown(f"What was written at position {place}, {quoted(pair.a.labels[place])}:")
    figure(
        norm_lines(lines),
        key="norms of both",
        code=[stream_norms],
        reads="blocks.*.hook_attn_out, hook_mlp_out [batch pos d_model]",
        program=pair.program(
            f"""
            both = (cache_a, model_a.cfg.n_layers), (cache_b, model_b.cfg.n_layers)
            found = [stream_norms(*each) for each in both]
            parts = [part for each in found for part in (each.attn_out, each.mlp_out)]
            result = [lengths[:, {place}] for lengths in parts if lengths is not None]
            """,
            stream_norms,
        ),
    )


def _any(pair: Pair) -> bool:
    return True


def _of_equal_tokens(pair: Pair) -> bool:
    return not pair.why_not


def _of_one_vocabulary(pair: Pair) -> bool:
    return not pair.why_not and pair.same_vocabulary


VIEWS = {
    "Loss": SideView(loss, _any, has_places=False),
    "All heads": SideView(all_heads, _of_equal_tokens),
    "One head": SideView(one_head, _of_equal_tokens),
    "Head scores": SideView(scores, _any),
    "Logit lens": SideView(lenses, _of_one_vocabulary),
    "Output": SideView(output, _of_one_vocabulary),
    "Embeddings": SideView(embeddings, _of_equal_tokens),
    "Norms": SideView(norms, _of_equal_tokens),
}
