"""Tokens that are numbers already, for the synthetic tasks.

The mirror task, for one, speaks of "12 7 99 99 7 12": a token is a whole number, and its id is that
number. Written text may separate them by blanks, commas or both; decoding writes single spaces, so
decode(encode(text)) is `text` in its normal form, not letter for letter.
"""

import reprlib
from collections.abc import Iterable

from tfs.tokenizers.ids import checked_ids


class IntegerTokenizer:
    """The numbers 0 ... d_vocab - 1 as text; ValueError unless d_vocab is at least 1."""

    def __init__(self, d_vocab: int) -> None:
        if not isinstance(d_vocab, int) or isinstance(d_vocab, bool) or d_vocab < 1:
            raise ValueError(
                f"d_vocab must be a whole number of at least 1, not {reprlib.repr(d_vocab)}"
            )
        self.d_vocab = d_vocab

    def encode(self, text: str) -> list[int]:
        """'12, 7 99' -> [12, 7, 99]; ValueError names the first word that is no number in range."""
        return [self._number(word) for word in text.replace(",", " ").split()]

    def decode(self, ids: Iterable[int]) -> str:
        """[12, 7, 99] -> '12 7 99'; ValueError for an id outside the vocabulary."""
        return " ".join(str(token_id) for token_id in checked_ids(ids, self.d_vocab))

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One number per token, in digits."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        return [str(token_id) for token_id in checked_ids(ids, self.d_vocab)]

    def _number(self, word: str) -> int:
        digits = word.lstrip("0") or word[:1]
        is_number = word.isascii() and word.isdigit() and len(digits) <= len(str(self.d_vocab))
        if not is_number or int(digits) >= self.d_vocab:
            raise ValueError(
                f"{reprlib.repr(word)} is not a token of this vocabulary: write whole numbers from "
                f"0 to {self.d_vocab - 1}, separated by spaces or commas."
            )
        return int(digits)
