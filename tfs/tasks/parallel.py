"""Any file of pairs: one source, a tab and its target a line."""

import hashlib
from collections import Counter
from pathlib import Path

import torch

from tfs.tasks.batch import generator
from tfs.tasks.corpus import read_text
from tfs.tasks.pairs import MARKS, UNKNOWN, PairBatch, pair_batch
from tfs.tokenizers import BPETokenizer, CharTokenizer, MarkedTokenizer, WordTokenizer

TOKENIZERS = ("words", "characters", "bpe")
FEWEST, MOST = 10, 200_000  # pairs; a source that comes again counts once among the fewest


class ParallelTask:
    """Pairs of a UTF-8 file: "a cat\tune chatte" on a line; lines without any text are passed over.

    A tenth of the distinct sources is held out, by a hash of the text, with all their targets.
    tokenizer: "words", between blanks; "characters"; or "bpe". Each is made of the training side
    alone: words and characters that only the other side has become <unk>. Or it is one that is
    there already, as that of a model which goes on learning. d_vocab: the most tokens of words and
    BPE; n_ctx: the longest that a source, or a target with its start and end, may be.
    Raises ValueError, with the number of the line, for one that is no pair or too long; and for a
    file that is missing, not UTF-8, or has fewer than 10 sources or more than 200,000 pairs.
    """

    name = "parallel"

    def __init__(
        self,
        path: str = "",
        tokenizer: str | MarkedTokenizer = "words",
        d_vocab: int = 8000,
        n_ctx: int = 64,
    ) -> None:
        if isinstance(tokenizer, str) and tokenizer not in TOKENIZERS:
            raise ValueError(f"tokenizer must be one of {', '.join(TOKENIZERS)}, not {tokenizer!r}")
        if not path:
            raise ValueError("give the path of a file with one source, a tab and a target a line")
        lines = read_pairs(read_text(path), Path(path).name)
        held_out = held_out_sources({source for source, _ in lines.values()})
        if not held_out:
            raise ValueError(
                f"{Path(path).name} has fewer than {FEWEST} different sources; give more lines"
            )
        self.pairs = {
            "train": [pair for pair in lines.values() if pair[0] not in held_out],
            "held_out": [pair for pair in lines.values() if pair[0] in held_out],
        }
        if isinstance(tokenizer, str):
            tokenizer = _tokenizer(tokenizer, self.pairs["train"], d_vocab)
        self.tokenizer = tokenizer
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = n_ctx
        for number, (source, target) in lines.items():
            length = max(len(self.tokenizer.encode(source)), 2 + len(self.tokenizer.encode(target)))
            if length > n_ctx:
                raise ValueError(
                    f"line {number} of {Path(path).name} takes {length} tokens and n_ctx is "
                    f"{n_ctx}; shorten the line or give a larger n_ctx"
                )

    def sample(self, n: int, seed: int, split: str = "train") -> PairBatch:
        """n pairs of one side of the split, each as likely as any other."""
        pairs = self.pairs[split]
        drawn = torch.randint(len(pairs), (n,), generator=generator(seed)).tolist()
        return pair_batch([pairs[place] for place in drawn], self.tokenizer)

    def floor(self) -> None:
        """Nobody knows in how many ways a text may be translated."""
        return None


def read_pairs(text: str, name: str) -> dict[int, tuple[str, str]]:
    """Source and target by the number of their line, counted from 1.

    Raises ValueError for a line that is not text, one tab, text, and for more than MOST of them.
    """
    pairs = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 2:
            raise ValueError(
                f"line {number} of {name} has {len(parts) - 1} tabs instead of one; write the "
                "source, a tab and the target"
            )
        if not all(parts):
            side = "source" if parts[1] else "target"
            raise ValueError(f"line {number} of {name} has no {side}; complete or delete the line")
        pairs[number] = (parts[0], parts[1])
    if len(pairs) > MOST:
        raise ValueError(f"{name} has {len(pairs)} pairs; at most {MOST} can be taken")
    return pairs


def held_out_sources(sources: set[str]) -> set[str]:
    """The tenth of the sources whose hash is lowest; none of them where there are fewer than 10."""
    by_hash = sorted(sources, key=lambda source: hashlib.blake2b(source.encode()).digest())
    return set(by_hash[: len(by_hash) // FEWEST])


def _tokenizer(kind: str, pairs: list[tuple[str, str]], d_vocab: int) -> MarkedTokenizer:
    """One of TOKENIZERS for both sides of these pairs; its marks are within d_vocab."""
    room = d_vocab - len(MARKS) - (kind != "bpe")
    lowest = 1 if kind == "words" else 256
    if kind != "characters" and room < lowest:
        raise ValueError(f"d_vocab = {d_vocab} is too small for {kind}; give a larger one")
    text = "\n".join(f"{source}\n{target}" for source, target in pairs)
    if kind == "bpe":
        return MarkedTokenizer(BPETokenizer.train(text, room), MARKS)
    marks = (*MARKS, UNKNOWN)
    if kind == "characters":
        return MarkedTokenizer(CharTokenizer.train(text.replace("\n", "")), marks, UNKNOWN)
    for mark in marks:
        text = text.replace(mark, " ")
    words = [word for word, _ in Counter(text.split()).most_common(room)]
    return MarkedTokenizer(WordTokenizer(words), marks, UNKNOWN)
