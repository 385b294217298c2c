"""The page of word vectors: a training kept step by step, its plane, neighbours and analogies."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from pages._ui.layout import figure
from tfs.numpy_engine.by_hand import analogy_text
from tfs.numpy_engine.by_hand.nearest import (
    analogy_accuracy,
    cosine,
    in_a_plane,
    nearest,
    solve,
)
from tfs.numpy_engine.by_hand.threads import one_blas_thread
from tfs.numpy_engine.by_hand.word_vectors import WordConfig, WordVectors, four_word_config
from tfs.plots import scatter_2d, signed_bars

GRAMMAR, FOUR = TEXTS = ("A grammar with analogies", "Four words in a plane")
KEPT = 20  # moments of a training, evenly spaced
MOST = 8  # answers and neighbours shown


class Learned(NamedTuple):
    """The words, and their vectors at every kept step, [step d_vocab d_model]."""

    words: tuple[str, ...]
    steps: list[int]
    vectors: np.ndarray

    def place(self, word: str) -> int:
        return self.words.index(word)


@st.cache_data(max_entries=12, show_spinner="Learning from a text …")
def learned(text: str, method: str, seed: int) -> Learned:
    """Trained in this process, in seconds; step 0 is what it began from."""
    one_blas_thread()
    if text == FOUR:
        model = WordVectors(analogy_text.four_word_text(seed=seed), four_word_config(seed, method))
    else:
        cfg = WordConfig(method, steps=1000, seed=seed)
        model = WordVectors(analogy_text.analogy_text(seed=seed), cfg)
    steps, kept = [0], [model.vectors.copy()]
    for step in model.train():
        if step.step % (model.cfg.steps // KEPT) == 0:
            steps.append(step.step)
            kept.append(model.vectors.copy())
    return Learned(model.vocabulary.words, steps, np.stack(kept))


def program(text: str, method: str, seed: int, step: int, lines: str) -> str:
    """Lines that have the vectors of this step and their words, in a fresh interpreter."""
    made = "four_word_text" if text == FOUR else "analogy_text"
    config = (
        f"word_vectors.four_word_config({seed}, {method!r})"
        if text == FOUR
        else f"word_vectors.WordConfig({method!r}, steps=1000, seed={seed})"
    )
    return (
        "import numpy as np\n"
        "from tfs.numpy_engine.by_hand import analogy_text, nearest, word_vectors\n\n"
        f"text = analogy_text.{made}(seed={seed})\n"
        f"model = word_vectors.WordVectors(text, {config})\n"
        f"for step, _ in zip(range({step}), model.train()):\n    pass\n"
        "words, vectors = model.vocabulary.words, model.vectors\n"
        f"{lines}"
    )


def show_plane(known: Learned, at: int, family: str, made: dict) -> None:
    """The words of one relation as points, in the plane in which they differ most."""
    words = [w for pair in _pairs(family) for w in pair[:2]] if family else analogy_text.FOUR_WORDS
    places = [known.place(word) for word in words]
    pairs = [(start, start + 1) for start in range(0, len(words), 2)]
    figure(
        scatter_2d(in_a_plane(known.vectors[at][places]), list(words), arrows=pairs, what="word"),
        key="plane",
        code=[in_a_plane],
        program=program(**made, lines=f"result = nearest.in_a_plane(vectors[{places}])"),
    )


def say_how_parallel(vectors: np.ndarray, known: Learned) -> None:
    """Of the four words: whether one difference points where the other does."""
    paris, france, berlin, germany = (vectors[known.place(w)] for w in analogy_text.FOUR_WORDS)
    st.markdown(
        "The cosine between paris − france and berlin − germany is "
        f"**{cosine(paris - france, berlin - germany):.3f}**; 1 is parallel."
    )


def show_neighbours(known: Learned, vectors: np.ndarray, made: dict) -> None:
    """The words whose vectors point most nearly where one word's does."""
    word = st.selectbox("Word", sorted(known.words), key="word", bind="query-params")
    number = known.place(word)
    near = nearest(vectors, vectors[number], without=[number], most=MOST)
    _bars(
        known,
        near,
        key="near",
        code=nearest,
        made=made,
        lines=(
            f"near = nearest.nearest(vectors, vectors[{number}], without=[{number}], most={MOST})"
        ),
    )


def show_analogy(known: Learned, vectors: np.ndarray, made: dict) -> None:
    """a is to b as c is to what, of all questions that the grammar has an answer to."""
    questions = analogy_text.analogies()
    solved = analogy_accuracy(vectors, known.words, questions)
    st.markdown(f"Of {len(questions)} such questions, **{solved:.1%}** are answered right.")
    named = {f"{a} is to {b} as {c} is to …": (a, b, c, d) for a, b, c, d in questions}
    a, b, c, d = named[st.selectbox("Question", list(named), key="question", bind="query-params")]
    places = [known.place(word) for word in (a, b, c)]
    st.caption(f"The direction is {b} − {a} + {c}; the grammar means {d}.")
    _bars(
        known,
        solve(vectors, *places, most=MOST),
        key="solved",
        code=solve,
        made=made,
        lines=(f"near = nearest.solve(vectors, *{places}, most={MOST})"),
    )


def _bars(known: Learned, near: list, *, key: str, code, made: dict, lines: str) -> None:
    figure(
        signed_bars(
            np.array([likeness for _, likeness in near]),
            [known.words[number] for number, _ in near],
            x_title="cosine",
        ),
        key=key,
        code=[code, nearest] if code is not nearest else [nearest],
        program=program(**made, lines=f"{lines}\nresult = [likeness for _, likeness in near]"),
    )


def _pairs(family: str) -> tuple[tuple[str, ...], ...]:
    return next(each.pairs for each in analogy_text.FAMILIES if each.name == family)
