"""Positions: learned, computed or none at all, and what a model can tell apart with them."""

import streamlit as st

from pages._ui.axes import shape
from pages._ui.cell_maps import FULL_WIDTH, CellMap, cell_maps, numbered
from pages._ui.controls import current_view
from pages._ui.layout import behind, figure, prose
from pages._ui.position_kinds import (
    ASKED,
    LEARNED,
    SINUSOIDAL,
    ask_for_the_most_similar,
    own_kind,
    pick_kind,
    say_how_far_it_reaches,
    say_whose_positions_run,
    say_why_no_curve,
    say_without_vectors,
)
from pages._ui.rotation import one_rotation
from pages._ui.turned_around import turned_around
from tfs.interp import cosine_similarity, similarity_by_distance, sinusoidal
from tfs.plots import position_matrix, similarity_curves, similarity_matrix
from tfs.plots.positions import brightest_entry

SHOWN = 64  # positions, unless all are asked for

st.title("Positions")
prose("positions")
view = current_view()
cfg = view.model.cfg

st.subheader("How places are told apart")
kind = pick_kind(view)
own = kind.name == own_kind(view)
st.caption("What this model was trained with." if own else "This model was not trained with it.")
if kind.vectors is None:
    say_without_vectors(view, kind)
else:
    st.subheader("A vector for every place")
    everything = cfg.n_ctx > SHOWN and st.toggle(
        f"All {cfg.n_ctx} positions", key="all", bind="query-params"
    )
    shown = cfg.n_ctx if everything else min(cfg.n_ctx, max(SHOWN, len(view.tokens)))
    functions = [sinusoidal] if kind.name == SINUSOIDAL else []
    reads = "" if functions else "pos_embed.W_pos [n_ctx d_model]"
    vectors = kind.vectors[:shown]
    positions = numbered("pos", shown)
    end = 1.0 if functions else brightest_entry(vectors)  # no sine is larger than 1
    st.markdown(
        f"Row by row, the vectors of positions 0 to {shown - 1}, {shape('pos d_model')}: "
        + (
            "sines and cosines, quick on the left and slow on the right."
            if functions
            else "what training has made of random numbers."
        )
        + f" The colours end at ±{end:.2g}"
        + (
            "; the 0.5 % of all entries that are larger look the same."
            * (vectors.abs().max() > end).item()
            or "."
        )
    )
    cell_maps(
        [CellMap(f"{kind.name} positions", vectors, "value", high=end, signed=True)],
        positions,
        numbered("d_model", cfg.d_model),
        key="vectors map",
        width=FULL_WIDTH,
    )
    behind(
        {"vectors": lambda: position_matrix(vectors, title=f"{kind.name} positions")},
        key="vectors",
        code=functions or [type(view.model.pos_embed).forward],
        reads=reads,
        program=view.program(f"{kind.code}\nresult = W_pos[:{shown}]", *functions),
    )

    st.subheader("Who is like whom?")
    if ask_for_the_most_similar(kind):
        alike = cosine_similarity(vectors, vectors)
        cell_maps(
            [CellMap("", alike, "cosine", high=1.0, signed=True)],
            positions,
            positions,
            key="alike map",
        )
        behind(
            {"alike": lambda: similarity_matrix(alike, positions.labels)},
            key="alike",
            code=[cosine_similarity, *functions],
            reads=reads,
            program=view.program(
                f"{kind.code}\nresult = cosine_similarity(W_pos[:{shown}], W_pos[:{shown}])",
                cosine_similarity,
                *functions,
            ),
        )

if kind.name == SINUSOIDAL:
    st.subheader("One rotation for every place")
    one_rotation(view, min(ASKED, cfg.n_ctx - 1))

st.subheader("Likeness and distance")
say_why_no_curve(kind)
st.markdown(
    "The mean cosine of all pairs of positions so far apart, and a band of one standard deviation "
    "to either side. Where the band is narrow, likeness hangs on the distance alone, and a head "
    "can find *nearby* from anywhere in the text."
)
sines = sinusoidal(cfg.n_ctx, cfg.d_model)
matrices = {SINUSOIDAL: (sines, f"sinusoidal({cfg.n_ctx}, {cfg.d_model})")}
if own_kind(view) == LEARNED:
    matrices = {LEARNED: (view.model.W_pos.detach(), "model.W_pos")} | matrices
curves = {name: similarity_by_distance(matrix) for name, (matrix, _) in matrices.items()}
named = [f"{name} ±{spread.mean():.3f}" for name, (_, spread) in curves.items()]
st.caption(f"The band is on average, over all distances: {', '.join(named)}.")
figure(
    similarity_curves(curves),
    key="distance",
    code=[similarity_by_distance, sinusoidal],
    reads="pos_embed.W_pos [n_ctx d_model]" if LEARNED in curves else "",
    program=view.program(
        f"""
        result = []
        for W_pos in [{", ".join(code for _, code in matrices.values())}]:
            mean, spread = similarity_by_distance(W_pos)
            result += [mean - spread, mean + spread, mean]
        result = torch.stack(result)
        """,
        similarity_by_distance,
        sinusoidal,
    ),
)

if kind.vectors is not None:
    st.subheader("How far they reach")
    say_how_far_it_reaches(view, kind)

st.subheader("Does this model know the order?")
say_whose_positions_run(view, kind)
turned_around(view)
