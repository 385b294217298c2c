"""Copying: the simplest thing that attention can do and an MLP over one position cannot."""

import math

import torch

from tfs.tasks.answered import answered
from tfs.tasks.batch import Batch, check_length_and_symbols, generator
from tfs.tokenizers import WordTokenizer


class CopyTask:
    """Random symbols, a separator, and the same symbols again.

    With length 4: 17 3 17 40 | 17 3 17 40. Only the copy counts in the loss; where `whole`, the
    first half does as well.
    """

    name = "copy"

    def __init__(self, symbols: int = 50, length: int = 8, whole: bool = False) -> None:
        check_length_and_symbols(length, symbols)
        self.symbols = symbols
        self.length = length
        self.whole = whole
        self.d_vocab = symbols + 1
        self.n_ctx = 2 * length + 1
        self.tokenizer = WordTokenizer([*map(str, range(symbols)), "|"])

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh sequences, [n n_ctx]; both splits draw from the same endless supply."""
        symbols = torch.randint(self.symbols, (n, self.length), generator=generator(seed))
        return answered(symbols, self.symbols, symbols, self.whole)

    def floor(self) -> float:
        """0; where `whole`, (length - 1) ln(symbols) / (2 length) nats per predicted token.

        Every symbol of the first half costs ln(symbols), but the first of all is never predicted;
        of the 2 length predictions the others, the separator and the copy, are certain.
        """
        if not self.whole:
            return 0.0
        return (self.length - 1) * math.log(self.symbols) / (2 * self.length)
