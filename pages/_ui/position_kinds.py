"""Kinds of positions: which one is on screen, its vectors, how far it reaches."""

from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

from pages._ui.alibi_view import alibi_positions
from pages._ui.controls import View
from pages._ui.layout import literal
from pages._ui.predict import predict
from pages._ui.rotary_view import rotary_positions
from tfs.interp import cosine_similarity, sinusoidal

LEARNED, SINUSOIDAL, NONE, ROTARY, ALIBI = KINDS = (
    "learned",
    "sinusoidal",
    "none",
    "rotary",
    "alibi",
)
ASKED = 5  # the position that the question is about, where there is one
TIE = 1e-5
AS_GOOD_AS_ZERO = 1e-3  # of the usual length of a row


class Kind(NamedTuple):
    """A way to tell positions apart; vectors [n_ctx d_model] only where it has some."""

    name: str
    vectors: Tensor | None
    code: str  # the line of a program that makes `W_pos`


def own_kind(view: View) -> str:
    """What the model on screen was trained with."""
    names = {"standard": LEARNED, "sinusoidal": SINUSOIDAL, "none": NONE, "rotary": ROTARY}
    names["alibi"] = ALIBI
    return names[view.model.cfg.positional_embedding_type]


def pick_kind(view: View) -> Kind:
    """The reader's choice; after a change of model, the kind of that model."""
    own = own_kind(view)
    if st.session_state.setdefault("kind for", view.name) != view.name:
        st.session_state["kind"] = own
    st.session_state["kind for"] = view.name
    chosen = st.segmented_control(
        "Kind of positions", KINDS, default=own, required=True, key="kind", bind="query-params"
    )
    cfg = view.model.cfg
    if chosen == SINUSOIDAL:
        code = f"W_pos = sinusoidal({cfg.n_ctx}, {cfg.d_model})"
        return Kind(SINUSOIDAL, sinusoidal(cfg.n_ctx, cfg.d_model), code)
    if chosen == LEARNED and own == LEARNED:
        return Kind(LEARNED, view.model.W_pos.detach(), "W_pos = model.W_pos")
    return Kind(chosen if chosen in KINDS else own, None, "")


def say_without_vectors(view: View, kind: Kind) -> None:
    """What a kind without vectors does instead, or why there is nothing to draw."""
    if kind.name == LEARNED:
        own = own_kind(view)
        in_words = {NONE: "without positions", SINUSOIDAL: "with fixed positions"}
        trained = in_words.get(own, f"with {own} positions")
        st.info(
            f"This model was trained {trained}: it learned no W_pos. The model **mirror** learned "
            "one."
        )
    elif kind.name == ROTARY:
        rotary_positions(view, own_kind(view) == ROTARY)
    elif kind.name == ALIBI:
        alibi_positions(view, own_kind(view) == ALIBI)
    else:
        st.info(
            "No vectors: the tokens enter the model as they are, and nothing says where they "
            "stand. What is left to tell places apart is the mask. " + _what_is_measured(view)
        )


def say_why_no_curve(kind: Kind) -> None:
    """Where likeness is measured, of a kind without vectors: it has none to measure."""
    if kind.vectors is None and kind.name != LEARNED:
        st.caption(
            f"The kind chosen above, {kind.name}, has no vectors, so there is no likeness to "
            "measure and no curve of it: kinds that have some are drawn instead, and the choice "
            "above changes nothing here."
        )
    elif kind.vectors is None:
        st.caption("This model learned no vectors, so the curve below is that of sines.")


def say_whose_positions_run(view: View, kind: Kind) -> None:
    """Where the model itself is run: with its own kind, whichever one is chosen above."""
    own = own_kind(view)
    if kind.name != own:
        has = "without any positions" if own == NONE else f"with its own positions, {own}"
        st.caption(
            f"Here **{literal(view.name)}** runs {has}: the kind chosen above, {kind.name}, "
            "changes nothing here."
        )


def _what_is_measured(view: View) -> str:
    if own_kind(view) == NONE:
        return f"The experiment at the end measures how much that is in **{literal(view.name)}**."
    return (
        f"The experiment at the end cannot measure how much that is: it runs "
        f"**{literal(view.name)}**, which has {own_kind(view)} positions. **mirror-no-positions** "
        "has none."
    )


def ask_for_the_most_similar(kind: Kind) -> bool:
    """Which of up to five positions is most like one in the middle? Ties are all right."""
    n_ctx = len(kind.vectors)
    asked = min(ASKED, n_ctx - 1)
    cosines = cosine_similarity(kind.vectors[asked, None], kind.vectors)[0]
    cosines[asked] = -torch.inf
    best = int(cosines.argmax())
    few = {asked - 1, asked + 1, asked + 3, 0, n_ctx - 1, best} & set(range(n_ctx)) - {asked}
    if len(few) < 2:
        return True
    right = [place for place in sorted(few) if cosines[place] >= cosines[best] - TIE]
    said = ", ".join(f"{cosines[place]:.3f} with {place}" for place in sorted(few))
    return predict(
        f"Which of these positions has the vector most like that of position {asked}?",
        [str(place) for place in sorted(few)],
        [str(place) for place in right],
        f"The cosine is {said}.",
        key="predict position",
    )


def say_how_far_it_reaches(view: View, kind: Kind) -> None:
    """Beyond the context: learned rows end, sines go on. Both are tried out, here and now."""
    n_ctx, d_model = view.model.cfg.n_ctx, view.model.cfg.d_model
    if kind.name == LEARNED:
        lengths = kind.vectors.norm(dim=-1)
        st.markdown(
            f"**Learned positions end.** There are {n_ctx} rows, for the positions 0 to "
            f"{n_ctx - 1}. Asked to read {n_ctx + 1} tokens, the model answers: "
            f"*{literal(_refusal(view))}* Rows are as good as training made them: the longest is "
            f"row {lengths.argmax()} with a length of {lengths.max():.2f}, the shortest row "
            f"{lengths.argmin()} with {lengths.min():.2f}. {_never_trained(lengths)}"
        )
    else:
        far = 10 * n_ctx
        vectors = sinusoidal(far + 2, d_model)
        near_by, far_off = (
            cosine_similarity(vectors[i, None], vectors[i + 1, None]).item() for i in (0, far)
        )
        st.markdown(
            f"**Sines go on.** They are computed, so every position has its vector. Positions 0 "
            f"and 1 have a cosine of {near_by:.4f}; positions {far:,} and {far + 1:,}, far beyond "
            f"this model's {n_ctx}, one of {far_off:.4f}. What they cannot do is learn: no "
            "training moves them, so it is W_Q and W_K that must fit the task to them."
        )


def _never_trained(lengths: Tensor) -> str:
    """A sentence on rows that are as good as zero, if there are any."""
    zero = (lengths < AS_GOOD_AS_ZERO * lengths.median()).nonzero().flatten().tolist()
    if not zero:
        return ""
    rows = " and ".join(str(row) for row in zero)
    return (
        f"As good as zero is row {rows}: it was never trained. The last token of a full context "
        "has no next one to be predicted, so no error ever reaches its position, and weight decay "
        "alone moves the row, towards 0."
        if zero == [len(lengths) - 1]
        else f"As good as zero: row {rows}."
    )


def _refusal(view: View) -> str:
    """What the model says to one token more than it has positions."""
    try:
        view.model(torch.zeros(1, view.model.cfg.n_ctx + 1, dtype=torch.long))
    except ValueError as error:
        return f"{error}."
    return "(it took them)"
