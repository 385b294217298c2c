"""What a tagger or a matcher of questions is trained on: templates, or files of one's own."""

import random
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfs.numpy_engine.data import Batch, HasBatches
from tfs.numpy_engine.labelled import (
    Drawn,
    PairReader,
    Reader,
    SentenceReader,
    Shuffled,
    in_batches,
)
from tfs.templates import entities, questions
from tfs.templates.conll import read_conll
from tfs.templates.qqp import read_qqp
from tfs.templates.rows import MARKS
from tfs.templates.spans import entity_spans
from tfs.tokenizers import BPETokenizer, MarkedTokenizer, WordTokenizer

BATCH_SIZE = {"tags": 32, "pairs": 48}
HELD_OUT_TEXTS = 1000
HELD_OUT = 0.1  # of a file that comes without another
LONGEST = 256  # tokens of a text that is still read; attention's time grows with their square
TEXT_FOR_BPE, D_VOCAB = 2**20, 2000  # characters; tokens, marks among them


class Texts(NamedTuple):
    """All that a recipe needs of its data."""

    reader: Reader
    batches: HasBatches
    held_out: list[Batch]  # never trained on
    n_ctx: int
    left_out: int = 0  # texts of files that have more than LONGEST tokens

    @property
    def count(self) -> int:
        """How many texts are held out."""
        return sum(len(tokens) for tokens, *_ in self.held_out)


def sentences_from_templates(seed: int = 0) -> Texts:
    """Named entities of tfs.templates.entities; held out: names that are in no training text."""
    tokenizer = marked_bpe(entities.text_for_bpe(), entities.D_VOCAB)
    reader = SentenceReader(tokenizer, entities.LABELS)
    held_out = entities.tagged_sentences(HELD_OUT_TEXTS, f"{seed} held out", "held_out")
    batches = Drawn(reader, entities.tagged_sentences, BATCH_SIZE["tags"], seed)
    return Texts(reader, batches, in_batches(reader, held_out), entities.N_CTX)


def pairs_from_templates(seed: int = 0) -> Texts:
    """Questions of tfs.templates.questions; held out: people who never met in training."""
    tokenizer = MarkedTokenizer(WordTokenizer(questions.words_of_questions()), MARKS)
    reader = PairReader(tokenizer, questions.LABELS)
    held_out = questions.question_pairs(HELD_OUT_TEXTS, f"{seed} held out", "held_out")
    batches = Drawn(reader, questions.question_pairs, BATCH_SIZE["pairs"], seed)
    return Texts(reader, batches, in_batches(reader, held_out), questions.N_CTX)


def sentences_of_files(file: Path, held_out: Path | None = None, seed: int = 0) -> Texts:
    """Sentences as of CoNLL-2003, their tags as labels.

    Raises ValueError as read_conll does, where nothing is named, and as `_of_files` does.
    """
    sides = read_sides(read_conll, file, held_out, seed, key=lambda sentence: tuple(sentence[0]))
    kinds = {span.kind for side in sides for _, tags in side for span in entity_spans(tags)}
    if not kinds:
        raise ValueError(
            f"{file} names nothing: each of its tags is O; tag the words of an entity B-KIND, "
            "I-KIND, ..."
        )
    labels = ("O", *(f"{prefix}-{kind}" for kind in sorted(kinds) for prefix in "BI"))
    text = "\n".join(" ".join(words) for words, _ in sides[0])
    return _of_files(SentenceReader(marked_bpe(text), labels), sides, "tags", seed, file)


def pairs_of_files(file: Path, held_out: Path | None = None, seed: int = 0) -> Texts:
    """Pairs as of Quora Question Pairs. Raises ValueError as read_qqp and `_of_files` do."""
    sides = read_sides(read_qqp, file, held_out, seed, key=lambda pair: pair[:2])
    text = "\n".join(f"{one}\n{other}" for one, other, _ in sides[0])
    return _of_files(PairReader(marked_bpe(text), questions.LABELS), sides, "pairs", seed, file)


def marked_bpe(text: str, d_vocab: int = D_VOCAB) -> MarkedTokenizer:
    """Learns from the first TEXT_FOR_BPE characters; has fewer tokens where these give fewer."""
    return MarkedTokenizer(BPETokenizer.train(text[:TEXT_FOR_BPE], d_vocab - len(MARKS)), MARKS)


def read_sides(
    read: Callable[[Path], list[Any]],
    file: Path,
    held_out: Path | None,
    seed: int,
    key: Callable[[Any], Hashable],
) -> list[list[Any]]:
    """[to train on, held out]: two files, or one of which a tenth is held out, drawn by `seed`.

    key: what must not be on both sides. Raises ValueError as `read` does, and where a file has one
    text only and no other file is given.
    """
    examples = read(file)
    if held_out is not None:
        return [examples, read(held_out)]
    texts = list(dict.fromkeys(map(key, examples)))
    if len(texts) < 2:
        raise ValueError(
            f"{file} has one text only, and one must be held out; add others, or give a file with "
            "--held-out"
        )
    out = set(random.Random(seed).sample(texts, max(1, round(HELD_OUT * len(texts)))))
    return [[it for it in examples if (key(it) in out) == side] for side in (False, True)]


def _of_files(
    reader: Reader, sides: Sequence[Sequence[Any]], kind: str, seed: int, file: Path
) -> Texts:
    """Raises ValueError where a side has no text of LONGEST tokens or fewer."""
    lengths = [[reader.length(example) for example in side] for side in sides]
    kept = [
        [example for example, length in zip(side, its, strict=True) if length <= LONGEST]
        for side, its in zip(sides, lengths, strict=True)
    ]
    if not all(kept):
        raise ValueError(
            f"each text of {file}, or each that is held out, has more than {LONGEST} tokens, the "
            "most that are read; give shorter ones"
        )
    train, held_out = kept
    return Texts(
        reader,
        Shuffled(reader, train, BATCH_SIZE[kind], seed),
        in_batches(reader, held_out),
        max(length for its in lengths for length in its if length <= LONGEST),
        sum(map(len, sides)) - len(train) - len(held_out),
    )
