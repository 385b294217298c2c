"""The page of word vectors: the plane, neighbours and analogies of one moment of a training."""

import numpy as np
import streamlit as st

from pages._ui.layout import figure
from pages._ui.word_learning import ANY, FOUR, GRAMMAR, Learned, Made
from tfs.numpy_engine.by_hand import analogy_text
from tfs.numpy_engine.by_hand.nearest import (
    analogy_accuracy,
    cosine,
    in_a_plane,
    nearest,
    solve,
)
from tfs.numpy_engine.by_hand.word_vectors import WordVectors
from tfs.plots import loss_curve, scatter_2d, signed_bars

MOST = 8  # answers and neighbours shown
FREQUENT = 60  # words of any text that are shown in a plane
MOST_CHOSEN_FROM = 1000  # words, the most frequent
LONG = 5  # letters; the most frequent words of any text are shorter, and say little


def show(known: Learned, at: int, made: Made, family: str) -> None:
    """All pictures of one kept moment; family: the relation whose words stand in the plane."""
    show_plane(known, at, made, family)
    if made.text == FOUR:
        say_how_parallel(known, at)
    if made.text == GRAMMAR:
        st.subheader("Who is to whom")
        say_how_many_are_solved(known, at)
        show_analogy(known, at, made)
    if made.text != FOUR:
        st.subheader("Nearest neighbours")
        show_neighbours(known, at, made)
    st.subheader("Its loss")
    show_loss(known, made)


def show_now(known: Learned, made: Made, family: str) -> None:
    """While it is trained: what says most of the moment."""
    show_plane(known, 0, made, family)
    if made.text == FOUR:
        say_how_parallel(known, 0)
    if made.text == GRAMMAR:
        say_how_many_are_solved(known, 0)
    if made.text == ANY:
        show_neighbours(known, 0, made)
    show_loss(known, made)


def show_plane(known: Learned, at: int, made: Made, family: str) -> None:
    """Words as points, in the plane in which they differ most."""
    if made.text == ANY:
        words, pairs = known.words[:FREQUENT], []
    else:
        words = [w for p in _pairs(family) for w in p[:2]] if family else analogy_text.FOUR_WORDS
        pairs = [(start, start + 1) for start in range(0, len(words), 2)]
    places = [known.place(word) for word in words]
    figure(
        scatter_2d(in_a_plane(known.vectors[at][places]), list(words), arrows=pairs, what="word"),
        key="plane",
        code=[in_a_plane],
        program=made.program(known.steps[at], f"result = nearest.in_a_plane(vectors[{places}])"),
    )


def say_how_parallel(known: Learned, at: int) -> None:
    """Of the four words: whether one difference points where the other does."""
    vectors = known.vectors[at]
    paris, france, berlin, germany = (vectors[known.place(w)] for w in analogy_text.FOUR_WORDS)
    st.markdown(
        "The cosine between paris − france and berlin − germany is "
        f"**{cosine(paris - france, berlin - germany):.3f}**; 1 is parallel."
    )


def show_neighbours(known: Learned, at: int, made: Made) -> None:
    """The words whose vectors point most nearly where one word's does."""
    words = sorted(known.words[:MOST_CHOSEN_FROM])
    usual = analogy_text.FOUR_WORDS[0]
    if made.text == ANY:
        usual = next((word for word in known.words if len(word) >= LONG), words[0])
    first = words.index(usual) if usual in words else 0
    word = st.selectbox("Word", words, first, key="word", bind="query-params")
    number = known.place(word)
    vectors = known.vectors[at]
    _bars(
        known,
        at,
        nearest(vectors, vectors[number], without=[number], most=MOST),
        key="near",
        code=nearest,
        made=made,
        lines=(
            f"near = nearest.nearest(vectors, vectors[{number}], without=[{number}], most={MOST})"
        ),
    )


def say_how_many_are_solved(known: Learned, at: int) -> None:
    """Of all questions that the grammar has an answer to."""
    questions = analogy_text.analogies()
    solved = analogy_accuracy(known.vectors[at], known.words, questions)
    st.markdown(
        f"Of the grammar's {len(questions)} analogy questions, **{solved:.1%}** are answered right."
    )


def show_analogy(known: Learned, at: int, made: Made) -> None:
    """a is to b as c is to what, of all questions that the grammar has an answer to."""
    questions = analogy_text.analogies()
    named = {f"{a} is to {b} as {c} is to …": (a, b, c, d) for a, b, c, d in questions}
    a, b, c, d = named[st.selectbox("Question", list(named), key="question", bind="query-params")]
    places = [known.place(word) for word in (a, b, c)]
    st.caption(f"The direction is {b} − {a} + {c}; the grammar means {d}.")
    _bars(
        known,
        at,
        solve(known.vectors[at], *places, most=MOST),
        key="solved",
        code=solve,
        made=made,
        lines=(f"near = nearest.solve(vectors, *{places}, most={MOST})"),
    )


def show_loss(known: Learned, made: Made) -> None:
    """Of every update, also of those that came after the moment on screen.

    A question is about the true word and a few drawn ones, each true or not.
    """
    updates = len(known.losses)
    figure(
        loss_curve(
            range(1, updates + 1),
            known.losses,
            references=known.references,
            per="question",
        ),
        key="losses",
        code=[WordVectors.forward, WordVectors.backward, WordVectors.train],
        program=made.program(updates, "result = losses"),
    )


def _bars(known: Learned, at: int, near: list, *, key: str, code, made: Made, lines: str) -> None:
    figure(
        signed_bars(
            np.array([likeness for _, likeness in near]),
            [known.words[number] for number, _ in near],
            x_title="cosine",
        ),
        key=key,
        code=[code, nearest] if code is not nearest else [nearest],
        program=made.program(
            known.steps[at], f"{lines}\nresult = [likeness for _, likeness in near]"
        ),
    )


def _pairs(family: str) -> tuple[tuple[str, ...], ...]:
    return next(each.pairs for each in analogy_text.FAMILIES if each.name == family)
