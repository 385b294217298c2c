"""Word vectors as they are learned: kept step by step, for everyone or for who watches."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages._ui.given_text import Given
from tfs.numpy_engine.by_hand import analogy_text
from tfs.numpy_engine.by_hand.threads import one_blas_thread
from tfs.numpy_engine.by_hand.word_vectors import (
    WordConfig,
    WordStep,
    WordVectors,
    four_word_config,
    text_config,
    words_in,
)

GRAMMAR, FOUR, ANY = TEXTS = ("A grammar with analogies", "Four words in a plane", "Any text")
KEPT = 20  # moments of a training, evenly spaced
SLICES = 40


class Learned(NamedTuple):
    """The words, the most frequent first, their vectors at every kept step, [step d_vocab d_model],
    the loss of every update, and losses to compare it with."""

    words: tuple[str, ...]
    steps: list[int]
    vectors: np.ndarray
    losses: list[float]
    references: dict[str, float]

    def place(self, word: str) -> int:
        return self.words.index(word)


class Made(NamedTuple):
    """What word vectors are made from; given: the text, where it is neither of ours.

    Two that are equal learn alike, update for update.
    """

    text: str
    method: str
    seed: int
    given: Given | None = None

    def model(self) -> WordVectors:
        """Untrained. Raises ValueError for a text that is too short."""
        if self.given is not None:
            return WordVectors(words_in(self.given.text), text_config(self.seed, self.method))
        if self.text == FOUR:
            words = analogy_text.four_word_text(seed=self.seed)
            return WordVectors(words, four_word_config(self.seed, self.method))
        words = analogy_text.analogy_text(seed=self.seed)
        return WordVectors(words, WordConfig(self.method, steps=1000, seed=self.seed))

    def program(self, step: int, lines: str) -> str:
        """Lines that have the vectors of this step and their words, in a fresh interpreter."""
        of = f"seed={self.seed}"
        if self.given is not None:
            text = f"{self.given.program}\n\ntext = word_vectors.words_in(given)"
            config = f"word_vectors.text_config({self.seed}, {self.method!r})"
        elif self.text == FOUR:
            text = f"\ntext = analogy_text.four_word_text({of})"
            config = f"word_vectors.four_word_config({self.seed}, {self.method!r})"
        else:
            text = f"\ntext = analogy_text.analogy_text({of})"
            config = f"word_vectors.WordConfig({self.method!r}, steps=1000, {of})"
        return (
            "import numpy as np\n"
            "from tfs.numpy_engine.by_hand import analogy_text, nearest, word_vectors\n"
            f"{text}\n"
            f"model = word_vectors.WordVectors(text, {config})\n"
            f"losses = [step.loss for _, step in zip(range({step}), model.train())]\n"
            "words, vectors = model.vocabulary.words, model.vectors\n"
            f"{lines}"
        )


class WordLearner:
    """Word vectors that learn; those of a text of ours are kept now and then, from step 0 on."""

    slices = SLICES

    def __init__(self, made: Made) -> None:
        self.model = made.model()
        self.until = self.model.cfg.steps
        self.is_kept = made.given is None  # a text of a reader's may have thousands of words
        self.steps, self.kept = [0], [self.model.vectors.copy()]
        self.losses: list[float] = []

    def updates(self) -> Iterator[WordStep]:
        return self.model.train()

    def see(self, update: WordStep) -> None:
        self.losses.append(update.loss)
        if self.is_kept and update.step % (self.until // KEPT) == 0:
            self.steps.append(update.step)
            self.kept.append(self.model.vectors.copy())

    def learned(self) -> Learned:
        """All that was kept, or where nothing is, what it has come to."""
        return self._as_of(self.steps, np.stack(self.kept)) if self.is_kept else self.now()

    def now(self) -> Learned:
        """As it is at this moment, and at no other."""
        return self._as_of([len(self.losses)], self.model.vectors[None])

    def _as_of(self, steps: list[int], vectors: np.ndarray) -> Learned:
        """Blindly, each word that is asked about is as likely true as drawn; and who knows only
        that one of them is true says so of each with that probability."""
        asked = 1 + self.model.cfg.negatives
        told = asked * math.log(asked) - self.model.cfg.negatives * math.log(asked - 1)
        references = {"blind guess": asked * math.log(2)}
        if self.model.cfg.negatives > 1:  # with one, both are the same
            references[f"one of {asked} is true"] = told
        return Learned(self.model.vocabulary.words, steps, vectors, self.losses, references)


@st.cache_data(max_entries=12, show_spinner="Learning from a text …")
def learned(made: Made) -> Learned:
    """Trained in this process, in seconds, for everyone who asks for the same."""
    one_blas_thread()
    learner = WordLearner(made)
    for update in learner.updates():
        learner.see(update)
    return learner.learned()
