"""Sorting: the k-th answer needs a comparison of all symbols, at whatever places they stand."""

import math

import torch

from tfs.tasks.answered import answered
from tfs.tasks.batch import Batch, check_length_and_symbols, generator
from tfs.tokenizers import WordTokenizer


class SortTask:
    """Random symbols, a separator, and the same symbols in ascending order.

    With length 4: 17 3 29 40 | 3 17 29 40. Only the sorted half counts in the loss; where `whole`,
    the first half does as well. `distinct` symbols are much easier to sort: with repetitions, 45 in
    100 sequences of 8 from 50 hold a symbol twice, and the model has to count.
    """

    name = "sort"

    def __init__(
        self, symbols: int = 50, length: int = 8, distinct: bool = True, whole: bool = False
    ) -> None:
        check_length_and_symbols(length, symbols)
        if distinct and length > symbols:
            raise ValueError(f"{length} distinct symbols cannot be drawn from {symbols}")
        self.symbols = symbols
        self.length = length
        self.distinct = distinct
        self.whole = whole
        self.d_vocab = symbols + 1
        self.n_ctx = 2 * length + 1
        self.tokenizer = WordTokenizer([*map(str, range(symbols)), "|"])

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh sequences, [n n_ctx]; both splits draw from the same endless supply."""
        g = generator(seed)
        if self.distinct:
            symbols = torch.rand(n, self.symbols, generator=g).topk(self.length).indices
        else:
            symbols = torch.randint(self.symbols, (n, self.length), generator=g)
        return answered(symbols, self.symbols, symbols.sort(-1).values, self.whole)

    def floor(self) -> float:
        """0; where `whole`, what the symbols after the first cost, over 2 length predictions.

        Symbol i (from 0) is one of symbols - i that are left, or one of all, where they may come
        again. The separator and the sorted half are certain.
        """
        if not self.whole:
            return 0.0
        left = [self.symbols - i * self.distinct for i in range(1, self.length)]
        return sum(map(math.log, left)) / (2 * self.length)
