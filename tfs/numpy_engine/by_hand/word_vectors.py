"""Word vectors from the company that words keep, with every gradient derived by hand.

CBOW guesses the word in a gap from the mean of its neighbours' vectors; skip-gram guesses each
neighbour from the word. Both are asked about the true word and a few drawn ones (negative
sampling): Mikolov et al. 2013, "Efficient estimation of word representations in vector space" and
"Distributed representations of words and phrases and their compositionality".
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tfs.numpy_engine.by_hand.adam import Adam
from tfs.numpy_engine.by_hand.losses import BinaryCrossEntropy
from tfs.numpy_engine.by_hand.words import AxisDot, AxisMean, Embedding

METHODS = ("cbow", "skip-gram")
FLATTENED = 0.75  # the power that lifts rare words among the drawn ones
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class WordConfig:
    """window: neighbours to either side; negatives: drawn words for each true one.

    rare: the share of the text above which a word is passed over at times, none with 1.
    """

    method: str = "cbow"
    d_model: int = 20
    window: int = 2
    negatives: int = 5
    rare: float = 0.02
    steps: int = 2000
    batch: int = 256
    lr: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; it must be one of {', '.join(METHODS)}")
        for name in ("d_model", "window", "negatives", "steps", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")


def four_word_config(seed: int, method: str = "skip-gram") -> WordConfig:
    """What draws the text of four words in the plane, where every word is frequent.

    With one drawn word for each true one, no direction is spent on saying that most are wrong.
    """
    return WordConfig(method, d_model=2, window=1, negatives=1, rare=1.0, steps=400, seed=seed)


def text_config(seed: int, method: str = "cbow") -> WordConfig:
    """For a text that somebody wrote: wider windows, and "the" and "of" passed over most times."""
    return WordConfig(method, d_model=32, window=4, rare=1e-3, steps=2000, batch=512, seed=seed)


def words_in(text: str) -> list[str]:
    """Its words in lower case, without numbers and punctuation.

    >>> words_in("Don't ask, 2 of us!")
    ["don't", 'ask', 'of', 'us']
    """
    return WORD.findall(text.lower())


class Vocabulary(NamedTuple):
    """The words of a text, the most frequent first, and how often each stands there."""

    words: tuple[str, ...]
    counts: Int[np.ndarray, " d_vocab"]

    def ids(self, words: Sequence[str]) -> Int[np.ndarray, " pos"]:
        """Of the words that are known; others are passed over."""
        known = {word: number for number, word in enumerate(self.words)}
        return np.array([known[word] for word in words if word in known], dtype=np.int64)


class WordStep(NamedTuple):
    """One update: its number from 1, and the loss on its batch before it."""

    step: int
    loss: float


def vocabulary(words: Sequence[str], most: int = 5000) -> Vocabulary:
    """Of the `most` frequent words; those as frequent stand in alphabetical order."""
    counted = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))[:most]
    counts = np.array([count for _, count in counted], dtype=np.int64)
    return Vocabulary(tuple(word for word, _ in counted), counts)


def kept_shares(counts: Int[np.ndarray, " d_vocab"], rare: float) -> Float[np.ndarray, " d_vocab"]:
    """The probability with which a word stays in the text: sqrt(rare / its share), at most 1."""
    shares = counts / counts.sum()
    return np.minimum(1, np.sqrt(rare / shares))


def negative_shares(counts: Int[np.ndarray, " d_vocab"]) -> Float[np.ndarray, " d_vocab"]:
    """How often each word is drawn as a wrong answer: as its count to the power of 0.75."""
    flattened = counts**FLATTENED
    return flattened / flattened.sum()


def windows(
    ids: Int[np.ndarray, " pos"], window: int
) -> tuple[Int[np.ndarray, " gap"], Int[np.ndarray, "gap neighbour"]]:
    """Every word that has `window` neighbours on either side, and those neighbours."""
    spans = np.lib.stride_tricks.sliding_window_view(ids, 2 * window + 1)
    return spans[:, window], np.delete(spans, window, axis=1)


class WordVectors:
    """Two tables, one of words as they are read and one of words as they are guessed."""

    def __init__(self, words: Sequence[str], cfg: WordConfig) -> None:
        """Raises ValueError for a text that is too short to have a neighbourhood."""
        self.cfg, self.vocabulary = cfg, vocabulary(words)
        self.ids = self.vocabulary.ids(words)
        least = 2 * cfg.window + 1
        if len(self.ids) < least or len(self.vocabulary.words) < 2:
            raise ValueError(
                f"the text is too short (words: {len(words)}, different ones: "
                f"{len(self.vocabulary.words)}); give at least {least} words, two of them different"
            )
        d_vocab = len(self.vocabulary.words)
        self.read = Embedding(d_vocab, cfg.d_model, cfg.seed, spread=0.1)
        self.guessed = Embedding(d_vocab, cfg.d_model, spread=0.0)  # nothing is likelier yet
        self.mean, self.dot, self.loss = AxisMean(axis=1), AxisDot(), BinaryCrossEntropy()

    @property
    def vectors(self) -> Float[np.ndarray, "d_vocab d_model"]:
        return self.read.weights["W"]

    def forward(
        self,
        context: Int[np.ndarray, "batch neighbour"],
        asked: Int[np.ndarray, "batch word"],
        labels: Float[np.ndarray, "batch word"],
    ) -> float:
        """The loss of saying which of the asked words stands in the middle of these neighbours."""
        mean = self.mean.forward(self.read.forward(context))
        return self.loss.forward(self.dot.forward(mean, self.guessed.forward(asked)), labels)

    def backward(self) -> dict[str, Float[np.ndarray, "d_vocab d_model"]]:
        """The gradients of both tables, the same road back."""
        grad_mean, grad_asked = self.dot.backward(self.loss.backward())
        self.guessed.backward(grad_asked)
        self.read.backward(self.mean.backward(grad_mean))
        return {"read": self.read.gradients["W"], "guessed": self.guessed.gradients["W"]}

    def train(self) -> Iterator[WordStep]:
        """Update both tables, a batch at a time; the rate falls in a straight line.

        A text of which subsampling leaves too little is drawn from again at every pass.
        """
        cfg, draw = self.cfg, np.random.default_rng(self.cfg.seed)
        weights = {"read": self.read.weights["W"], "guessed": self.guessed.weights["W"]}
        optimiser = Adam(weights, cfg.lr)
        batches = self._batches(draw)
        for step in range(cfg.steps):
            optimiser.lr = cfg.lr * (1 - step / cfg.steps)
            loss = self.forward(*next(batches))
            optimiser.step(self.backward())
            yield WordStep(step + 1, loss)

    def _batches(self, draw: np.random.Generator) -> Iterator[tuple[np.ndarray, ...]]:
        """Contexts, the true word before the drawn ones, and which is which, without end."""
        cfg, shares = self.cfg, negative_shares(self.vocabulary.counts)
        stays = kept_shares(self.vocabulary.counts, cfg.rare)
        while True:
            kept = self.ids[draw.random(len(self.ids)) < stays[self.ids]]
            gaps, around = windows(kept if len(kept) > 2 * cfg.window else self.ids, cfg.window)
            if cfg.method == "skip-gram":  # one neighbour guessed from the word, each in turn
                gaps, around = around.ravel(), np.repeat(gaps, around.shape[1])[:, None]
            order = draw.permutation(len(gaps))
            for start in range(0, len(order), cfg.batch):
                chosen = order[start : start + cfg.batch]
                wrong = draw.choice(len(shares), (len(chosen), cfg.negatives), p=shares)
                asked = np.concatenate([gaps[chosen][:, None], wrong], axis=1)
                labels = np.zeros(asked.shape)
                labels[:, 0] = 1
                yield around[chosen], asked, labels
