"""Texts with labels as batches: what a tagger and a matcher of questions are trained and scored on.

A batch is (tokens, token_type_ids, is_token, labels), the first three [batch pos] and as the
encoder reads them. A tagger's labels are [batch pos], IGNORED at all but the first piece of each
word (Devlin et al. 2019, section 5.3); those of a pair are [batch].
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tfs.numpy_engine.data import Batch, Batches
from tfs.numpy_engine.losses import IGNORED, cross_entropy
from tfs.numpy_engine.module import Module
from tfs.numpy_engine.tensor import Tensor, no_grad
from tfs.templates.rows import PAD, pair_row, sentence_row
from tfs.templates.spans import SpanScores, span_scores
from tfs.tokenizers import MarkedTokenizer


@runtime_checkable
class Reader(Protocol):
    """Makes batches of texts of one kind: tagged sentences, or pairs."""

    tokenizer: MarkedTokenizer
    labels: tuple[str, ...]

    def length(self, example: Any) -> int:
        """How many tokens a text has, its marks among them."""
        ...

    def batch(self, examples: Sequence[Any]) -> Batch: ...


@dataclass(frozen=True)
class SentenceReader:
    """Reads sentences of (words, a tag for each)."""

    tokenizer: MarkedTokenizer
    labels: tuple[str, ...]

    def length(self, example: tuple[list[str], list[str]]) -> int:
        return len(sentence_row(example[0], self.tokenizer)[0])

    def batch(self, examples: Sequence[tuple[list[str], list[str]]]) -> Batch:
        """Raises ValueError for a tag that is none of the labels."""
        number = {label: i for i, label in enumerate(self.labels)}
        rows, labels = [], []
        for words, tags in examples:
            if unknown := [tag for tag in tags if tag not in number]:
                raise ValueError(f"{unknown[0]!r} is none of the tags {', '.join(self.labels)}")
            ids, first = sentence_row(words, self.tokenizer)
            row = [IGNORED] * len(ids)
            for place, tag in zip(first, tags, strict=True):
                row[place] = number[tag]
            rows.append(ids)
            labels.append(row)
        tokens, is_token = padded(rows, self.tokenizer.mark_id(PAD))
        return tokens, Tensor(np.zeros_like(tokens.data)), is_token, padded(labels, IGNORED)[0]


@dataclass(frozen=True)
class PairReader:
    """Reads (one text, another, whether the second label is theirs)."""

    tokenizer: MarkedTokenizer
    labels: tuple[str, ...]

    def length(self, example: tuple[str, str, bool]) -> int:
        return len(pair_row(example[0], example[1], self.tokenizer)[0])

    def batch(self, examples: Sequence[tuple[str, str, bool]]) -> Batch:
        """Raises ValueError for a word that the tokenizer does not have."""
        read = [pair_row(one, other, self.tokenizer) for one, other, _ in examples]
        tokens, is_token = padded([ids for ids, _ in read], self.tokenizer.mark_id(PAD))
        segments, _ = padded([segments for _, segments in read], 0)
        return tokens, segments, is_token, Tensor([int(same) for *_, same in examples])


def padded(rows: Sequence[Sequence[int]], filler: int) -> tuple[Tensor, Tensor]:
    """Rows as one tensor [batch pos], and which of it they are; `filler` fills up the shorter."""
    lengths = np.array([len(row) for row in rows])
    real = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(real.shape, filler, dtype=np.int64)
    ids[real] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return Tensor(ids), Tensor(real)


@dataclass(frozen=True)
class Drawn:
    """Endless batches of texts that are drawn: draw(how many, seed), a new seed for each batch."""

    reader: Reader
    draw: Callable[[int, str], Sequence[Any]]
    batch_size: int = 32
    seed: int = 0

    def at(self, position: int) -> Batch:
        return self.reader.batch(self.draw(self.batch_size, f"{self.seed} {position}"))


class Shuffled:
    """Texts of a list, shuffled anew for each pass."""

    def __init__(
        self, reader: Reader, examples: Sequence[Any], batch_size: int = 32, seed: int = 0
    ) -> None:
        self.reader, self.examples = reader, examples
        self.order = Batches((np.arange(len(examples)),), batch_size, seed)

    def at(self, position: int) -> Batch:
        (chosen,) = self.order.at(position)
        return self.reader.batch([self.examples[i] for i in chosen.tolist()])


def label_loss(model: Module, batch: Batch) -> Tensor:
    """Mean of -ln p(label) over all that are asked for, in nats."""
    *texts, labels = batch
    return cross_entropy(model(*texts), labels)


def said(model: Module, batch: Batch) -> np.ndarray:
    """The number of the likeliest label at each place that `labels` has; leaves no graph."""
    with no_grad():
        return model.eval()(*batch[:3]).data.argmax(-1)


def tag_scores(model: Module, batches: Iterable[Batch], labels: Sequence[str]) -> SpanScores:
    """Precision, recall and F1 of whole entities: kind, start and end must be right."""
    ours: list[list[str]] = []
    theirs: list[list[str]] = []
    for batch in batches:
        for row, true in zip(said(model, batch), batch[3].data, strict=True):
            asked = true != IGNORED
            ours.append([labels[i] for i in row[asked]])
            theirs.append([labels[i] for i in true[asked]])
    return span_scores(ours, theirs)


def accuracy(model: Module, batches: Iterable[Batch]) -> float:
    """The share of labels that are right, of all that are asked for."""
    right = asked = 0
    for batch in batches:
        true = batch[3].data
        right += int((said(model, batch) == true)[true != IGNORED].sum())
        asked += int((true != IGNORED).sum())
    return right / max(asked, 1)


def commonest_share(batches: Iterable[Batch]) -> float:
    """The accuracy of one who always gives the commonest label."""
    labels = np.concatenate([batch[3].data.reshape(-1) for batch in batches])
    counts = np.bincount(labels[labels != IGNORED])
    return counts.max() / counts.sum()


def in_batches(reader: Reader, examples: Sequence[Any], size: int = 64) -> list[Batch]:
    """All of them in order, `size` at a time."""
    starts = range(0, len(examples), size)
    return [reader.batch(examples[start : start + size]) for start in starts]
