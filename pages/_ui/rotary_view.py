"""Rotary positions: how far each pair turns, and one score wherever its two tokens stand."""

import math
from functools import partial

import streamlit as st

from pages._ui.axes import css_colour, shape
from pages._ui.cell_maps import Axis, CellMap, cell_maps
from pages._ui.controls import View, pick_token
from pages._ui.head_choice import pick_named_head
from pages._ui.layout import behind, figure, quoted
from pages._ui.parts import part
from tfs.angles import rotary_angles
from tfs.interp import scores_by_places, spread_of_diagonals, turned_to_places
from tfs.plots import attention_scores, rotary_turns

ROTARY_HAS_NONE = (
    "Rotary positions add no vector. In every head they turn q and k, pair of entries by pair of "
    "entries, by an angle that grows with the position, so that a score knows the distance (Su et "
    "al. 2021, section 3.2)."
)
NOT_ITS_OWN = (
    " This model was trained without them: what follows turns its own q and k as they would, to "
    "show how they work."
)
MOST_SHOWN = 64  # positions
MOST_PLACES = 16  # to stand at


def rotary_positions(view: View, own: bool) -> None:
    """The angles, then a query and a key of the prompt put at any two places. own: of this model.

    Says in one sentence why there is nothing to draw where a head has an odd number of entries.
    """
    cfg = view.model.cfg
    st.subheader("A turn for every place")
    st.info(ROTARY_HAS_NONE + ("" if own else NOT_ITS_OWN))
    dim = cfg.rotary_dim if own else cfg.d_head
    if dim % 2:
        st.info(f"Its heads have {dim} entries, an odd number, and entries are turned in pairs.")
        return
    shown = min(cfg.n_ctx, MOST_SHOWN)
    angles = rotary_angles(shown, dim, cfg.rotary_base)
    slowest = math.degrees(cfg.rotary_base ** (-2 * (dim // 2 - 1) / dim))
    st.markdown(
        f"{dim // 2} pairs of a head's {cfg.d_head} entries, each like the hand of a clock. From "
        f"one position to the next the first turns by {math.degrees(1):.2f}°, the last by "
        f"{slowest:.3g}°: quick hands tell neighbours apart, slow ones say roughly where. The "
        "colour is the cosine of the angle, 1 where a hand stands as at the start."
        + (f" The other {cfg.d_head - dim} entries know no place." if dim < cfg.d_head else "")
    )
    figure(
        rotary_turns(angles),
        key="turns",
        code=[rotary_angles],
        program=view.program(
            f"result = rotary_angles({shown}, {dim}, {cfg.rotary_base}).cos()", rotary_angles
        ),
    )
    st.subheader("Only the distance counts")
    one_score_everywhere(view)


@part
def one_score_everywhere(view: View) -> None:
    """One query and one key of the prompt, and their score had they stood anywhere."""
    last = len(view.tokens) - 1
    with st.container(horizontal=True):
        layer, head = pick_named_head(view.model.cfg, key="turned head")
        query = pick_token(view, "Query token")
        key = pick_token(view, "Key token", key="key token")
    query, key = last if query is None else query, max(last - 1, 0) if key is None else key
    places = min(view.model.cfg.n_ctx, MOST_PLACES)
    scores = scores_by_places(view.model, view.run()[1], layer, head, query, key, places)
    st.markdown(
        f"L{layer}H{head} takes q {shape('d_head')} of position {query}, "
        f"{quoted(view.labels[query])}, and k {shape('d_head')} of position {key}, "
        f"{quoted(view.labels[key])}, and we let them stand at any two of {places} places. Along a "
        f"diagonal the distance stays and the places change. Scores lie between "
        f"{scores.min():.3f} and {scores.max():.3f}, yet no two on the same diagonal differ by "
        f"more than {spread_of_diagonals(scores):.1e}, which is rounding: where the two stand does "
        "not matter, only how far apart."
    )
    numbers = [str(place) for place in range(places)]
    cell_maps(
        [CellMap("score at any two places", scores, "score", signed=True)],
        Axis("query at", numbers, css_colour("query_pos"), None),
        Axis("key at", numbers, css_colour("key_pos"), None),
        key="places map",
    )
    behind(
        {"places": partial(attention_scores, scores, numbers, title="any two places")},
        key="places",
        code=[scores_by_places, turned_to_places, spread_of_diagonals],
        reads=f"blocks.{layer}.attn.hook_q [batch pos head d_head], hook_k [batch pos key_head "
        "d_head]",
        program=view.program(
            f"result = scores_by_places(model, cache, {layer}, {head}, {query}, {key}, {places})",
            scores_by_places,
        ),
    )
