"""Marks around and between texts: padding, start and end, [CLS], [SEP], [MASK].

A mark is a token that no text is made of. It stands before the tokens of another tokenizer: the
marks have the ids 0, 1, 2, ..., and every other id moves up by their number. Where a mark is
written out in a text, it is read as that mark, so "the [MASK] dog" can be typed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tfs.tokenizers.char import CharTokenizer
from tfs.tokenizers.ids import checked_ids
from tfs.tokenizers.protocol import Tokenizer
from tfs.tokenizers.word import WordTokenizer


class MarkedTokenizer:
    """Another tokenizer with marks before its tokens; id i < len(marks) is marks[i].

    unknown: the mark that stands for every word, or character, that `inner` does not have.
    Raises ValueError for marks that are empty, repeated, have a blank in them, or are tokens of
    `inner` already; and for an `unknown` that is no mark or whose `inner` has no fixed vocabulary.
    """

    def __init__(self, inner: Tokenizer, marks: Sequence[str], unknown: str | None = None) -> None:
        if not marks or len(set(marks)) != len(marks) or any(m.split() != [m] for m in marks):
            raise ValueError(f"marks must be distinct words without blanks, not {list(marks)!r}")
        has_vocab = isinstance(inner, WordTokenizer | CharTokenizer)
        taken = [mark for mark in marks if has_vocab and mark in inner.id_of]
        if taken:
            raise ValueError(f"the mark {taken[0]!r} is a token of the vocabulary already")
        if unknown is not None and (unknown not in marks or not has_vocab):
            raise ValueError(
                f"unknown must be one of the marks of words or characters, not {unknown!r}"
            )
        self.inner = inner
        self.marks = list(marks)
        self.unknown = unknown
        self.d_vocab = len(marks) + inner.d_vocab
        self._mark_id = {mark: token_id for token_id, mark in enumerate(marks)}
        self._pattern = re.compile("(" + "|".join(map(re.escape, marks)) + ")")
        self._blank = " " if isinstance(inner, WordTokenizer) else ""

    def mark_id(self, mark: str) -> int:
        """The id of a mark; ValueError where there is no such mark."""
        if mark not in self._mark_id:
            raise ValueError(f"{mark!r} is not one of the marks {' '.join(self.marks)}")
        return self._mark_id[mark]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, marks that are written out in it among them.

        Raises ValueError where `inner` does and no mark stands for the unknown.
        """
        ids: list[int] = []
        for part in self._pattern.split(text):
            if part in self._mark_id:
                ids.append(self._mark_id[part])
            elif part:
                ids += self._inner_ids(part)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids` with its marks written out; ValueError for an id out of range."""
        return self._blank.join(self._parts(ids))

    def plain(self, ids: Iterable[int]) -> str:
        """The text of `ids` without its marks; ValueError for an id out of range."""
        return self._blank.join(part for part in self._parts(ids) if part not in self._mark_id)

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One readable string per token: marks as they are, the others as `inner` shows them."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        n = len(self.marks)
        return [
            self.marks[i] if i < n else self.inner.str_tokens([i - n])[0]
            for i in checked_ids(ids, self.d_vocab)
        ]

    def _parts(self, ids: Iterable[int]) -> Iterator[str]:
        """Each mark by itself, and each run of other tokens as one text."""
        n = len(self.marks)
        for is_mark, run in groupby(checked_ids(ids, self.d_vocab), lambda i: i < n):
            if is_mark:
                yield from (self.marks[i] for i in run)
            else:
                yield self.inner.decode([i - n for i in run])

    def _inner_ids(self, text: str) -> list[int]:
        n = len(self.marks)
        if self.unknown is None:
            return [n + i for i in self.inner.encode(text)]
        pieces = text.split() if self._blank else text
        known = self.inner.id_of
        unknown = self._mark_id[self.unknown]
        return [n + known[piece] if piece in known else unknown for piece in pieces]
