"""Tokenizers at work, to be watched: BPE merge by merge, and several of them on the same text.

A replay is one encoding in slow motion. No token reaches across the end of a word, so the words are
done one after the other, from left to right, and within a word the pairs join in the order in which
training learned them (Sennrich, Haddow and Birch 2016), not in the order in which they stand.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from tfs.tokenizers.bpe import BPETokenizer, bpe_merges
from tfs.tokenizers.bytelevel import split_words
from tfs.tokenizers.gpt2 import GPT2Tokenizer
from tfs.tokenizers.protocol import Tokenizer


class ReplayStep(NamedTuple):
    """One merge: two neighbouring pieces of a word become one."""

    word: int  # which word of the text, counted from 0
    before: tuple[bytes, ...]  # all pieces of that word, before the merge
    position: int  # before[position] joins the piece after it
    rank: int  # the id of what they become: the lowest of all pairs in this word that could join

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """The two pieces that join."""
        return self.before[self.position], self.before[self.position + 1]

    @property
    def merged(self) -> bytes:
        """What they become."""
        return b"".join(self.pair)

    @property
    def after(self) -> tuple[bytes, ...]:
        """All pieces of the word, after the merge."""
        rest = self.before[self.position + 2 :]
        return (*self.before[: self.position], self.merged, *rest)


def replay(text: str, tokenizer: BPETokenizer | GPT2Tokenizer) -> Iterator[ReplayStep]:
    """Every merge of an encoding: words from left to right, a word's merges by rank.

    Between equal ranks the leftmost pair joins first. A word of one byte, and one that no merge
    applies to, has no step; `pieces_after` has them all.
    """
    for word, letters in enumerate(split_words(text, tokenizer.pattern)):
        for before, after in pairwise(bpe_merges(letters.encode(), tokenizer.ranks)):
            changed = (old != new for old, new in zip(before, after, strict=False))
            position = list(changed).index(True)
            yield ReplayStep(word, before, position, tokenizer.ranks[after[position]])


def pieces_after(
    text: str, tokenizer: BPETokenizer | GPT2Tokenizer, steps: Iterable[ReplayStep] = ()
) -> list[tuple[bytes, ...]]:
    """The pieces of each word of the text, once these steps are done; its single bytes at first.

    After all steps of `replay` their ids, tokenizer.ranks[piece], are tokenizer.encode(text).
    """
    words = [word.encode() for word in split_words(text, tokenizer.pattern)]
    pieces = [tuple(bytes([byte]) for byte in word) for word in words]
    for step in steps:
        pieces[step.word] = step.after
    return pieces


class TokenCount(NamedTuple):
    """How long a text is for one tokenizer."""

    tokens: int
    characters: int  # Unicode code points
    bytes: int  # in UTF-8
    characters_per_token: float  # 0 for an empty text
    str_tokens: list[str]


def compare(text: str, tokenizers: Mapping[str, Tokenizer]) -> dict[str, TokenCount | str]:
    """The same text in each tokenizer's tokens, by the tokenizer's name.

    Where one cannot read the text, its own sentence about that stands in place of the counts.
    """
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    counts: dict[str, TokenCount | str] = {}
    for name, tokenizer in tokenizers.items():
        try:
            ids = tokenizer.encode(text)
        except ValueError as error:
            counts[name] = str(error)
            continue
        per_token = len(text) / len(ids) if ids else 0.0
        strings = tokenizer.str_tokens(ids)
        counts[name] = TokenCount(len(ids), len(text), n_bytes, per_token, strings)
    return counts
