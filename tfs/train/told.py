"""What a model of two texts, of masked words or of labels says of held-out examples.

An example is told in pieces, as it is read: words that are only read, and places where the model
says something that is right or wrong.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tfs.model.architectures import (
    ENCODER_DECODER,
    ENCODER_ONLY,
    PAIR_CLASSIFIER,
    TOKEN_CLASSIFIER,
    kind_of,
)
from tfs.seq2seq import greedy_decode
from tfs.tasks.batch import seed_for
from tfs.tasks.labelled import LabelledBatch
from tfs.tasks.pairs import END, START, PairBatch
from tfs.tokenizers import MarkedTokenizer

SPARE = 8  # as many are drawn for each that is told
NOTHING = ""  # said after the end of a text, or true there


class Piece(NamedTuple):
    """What stands there to read; and guess and truth, None where nothing is asked."""

    read: str
    guess: str | None = None
    true: str | None = None


class Example(NamedTuple):
    """One held-out example: what was read, and all that is said of it, in order."""

    question: str
    pieces: list[Piece]
    glue: str  # what stands between two pieces: a space, or nothing

    @property
    def asked(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.true is not None]

    @property
    def right(self) -> int:
        return sum(piece.guess == piece.true for piece in self.asked)


@torch.no_grad()
def told(model: Any, task: Any, n: int, seed: int = 0) -> list[Example]:
    """What `model` says of n held-out examples of its task, the same for each seed.

    Those in which all that is asked can be known go before the others. Raises KeyError for a model
    that goes on with one text: see tfs.train.guesses.
    """
    drawn = task.sample(SPARE * n, seed_for(seed, "answers"), "held_out")
    in_doubt = (drawn.counted & ~drawn.answers).any(1)
    first = in_doubt.int().argsort(stable=True)[:n]
    batch = type(drawn)(*(tensor[first] for tensor in drawn))
    return TELLERS[kind_of(model).architecture](model, task, batch)


def _written(model: Any, task: Any, batch: PairBatch) -> list[Example]:
    """Each text as the model writes it on its own, likeliest token by likeliest token."""
    tokenizer: MarkedTokenizer = task.tokenizer
    marks = {"start": tokenizer.mark_id(START), "end": tokenizer.mark_id(END)}
    found = greedy_decode(
        model, batch.source, **marks, one_zero_attention_mask=batch.source_mask
    ).tolist()
    examples = []
    for row, written in enumerate(found):
        true = batch.target[row][batch.loss_mask[row]].tolist()
        guesses = _until(marks["end"], written)
        pieces = [
            Piece(
                "", *(tokenizer.str_tokens([token])[0] if token >= 0 else NOTHING for token in two)
            )
            for two in zip_longest(guesses, true, fillvalue=-1)
        ]
        question = tokenizer.plain(batch.source[row].tolist())
        examples.append(Example(question, pieces, _glue(tokenizer, true)))
    return examples


def _until(end: int, tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens


def _glue(tokenizer: MarkedTokenizer, tokens: list[int]) -> str:
    together = "".join(tokenizer.str_tokens(tokens))
    return "" if together == tokenizer.decode(tokens) else " "


def _filled_in(model: Any, task: Any, batch: LabelledBatch) -> list[Example]:
    """Each sentence with the model's likeliest word wherever one was asked for."""
    return [
        Example(
            " ".join(words),
            [
                Piece("", guess, true) if asked else Piece(word)
                for word, guess, true, asked in zip(words, guesses, truth, where, strict=True)
            ],
            " ",
        )
        for words, guesses, truth, where in _rows(model, task, batch)
    ]


def _tagged(model: Any, task: Any, batch: LabelledBatch) -> list[Example]:
    """Each word with its likeliest label, which is asked for at its first token."""
    examples = []
    for words, guesses, truth, where in _rows(model, task, batch):
        pieces: list[Piece] = []
        for word, guess, true, asked in zip(words, guesses, truth, where, strict=True):
            if asked or not pieces:
                pieces.append(Piece(word.strip(), guess, true))
            else:
                pieces[-1] = pieces[-1]._replace(read=pieces[-1].read + word)
        examples.append(Example(" ".join(piece.read for piece in pieces), pieces, " "))
    return examples


def _judged(model: Any, task: Any, batch: LabelledBatch) -> list[Example]:
    """Each pair of texts with the likeliest label for the whole, which stands at [CLS]."""
    guesses, examples = batch.predictions(model).argmax(-1), []
    for row, tokens in enumerate(batch.tokens):
        texts = [tokens[batch.token_mask[row] & (batch.segments[row] == text)] for text in (0, 1)]
        first, second = (task.tokenizer.plain(text.tolist()).strip() for text in texts)
        verdict = Piece("", *(task.labels[int(ids[row, 0])] for ids in (guesses, batch.labels)))
        examples.append(Example(f"{first} | {second}", [verdict], " "))
    return examples


def _rows(
    model: Any, task: Any, batch: LabelledBatch
) -> list[tuple[list[str], list[str], list[str], list[bool]]]:
    """Of each text without its marks: tokens, guessed labels, true ones, where they count."""
    guesses, rows = batch.predictions(model).argmax(-1), []
    for row, tokens in enumerate(batch.tokens):
        inside = slice(1, int(batch.token_mask[row].sum()) - 1)

        def named(labels: Tensor, row: int = row, inside: slice = inside) -> list[str]:
            return [task.labels[label] for label in labels[row, inside].tolist()]

        words = task.tokenizer.str_tokens(tokens[inside].tolist())
        rows.append(
            (words, named(guesses), named(batch.labels), batch.counted[row, inside].tolist())
        )
    return rows


TELLERS: dict[str, Callable[..., list[Example]]] = {
    ENCODER_DECODER: _written,
    ENCODER_ONLY: _filled_in,
    TOKEN_CLASSIFIER: _tagged,
    PAIR_CLASSIFIER: _judged,
}
