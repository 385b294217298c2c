"""Addition in decimal digits, the answer forwards or backwards."""

import torch
from jaxtyping import Int
from torch import Tensor

from tfs.tasks.batch import Batch, generator, mixed_bits
from tfs.tokenizers import CharTokenizer

PLUS, EQUALS = 10, 11
HELD_OUT = 0.1  # of the pairs


class AdditionTask:
    """Two numbers of `digits` digits, and their sum with one digit more.

    reversed: 123+456=9750, the ones first, so that a carry comes after what made it; otherwise
    123+456=0579. Only the sum counts in the loss. A tenth of all pairs is held out.
    """

    name = "addition"

    def __init__(self, digits: int = 3, reversed: bool = True) -> None:
        if not 1 <= digits <= 8:
            raise ValueError(f"digits must lie in 1 ... 8, not {digits}")
        self.digits = digits
        self.reversed = reversed
        self.tokenizer = CharTokenizer(list("0123456789+="))
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = 3 * digits + 3

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n sums, [n n_ctx]: of the pairs that are held out, or of the others."""
        g = generator(seed)
        kept = torch.empty(0, 2, dtype=torch.int64)
        while len(kept) < n:
            pairs = torch.randint(10**self.digits, (16 * n, 2), generator=g)
            kept = torch.cat([kept, pairs[self.is_held_out(pairs) == (split == "held_out")]])
        return self.batch(kept[:n])

    def batch(self, pairs: Int[Tensor, "n 2"]) -> Batch:
        """These sums as sequences, [n n_ctx]."""
        a, b = pairs.T
        total = self._digits_of(a + b, self.digits + 1)
        plus, equals = (torch.full((len(pairs), 1), sign) for sign in (PLUS, EQUALS))
        a, b = (self._digits_of(number, self.digits) for number in (a, b))
        tokens = torch.cat([a, plus, b, equals, total.flip(1) if self.reversed else total], dim=1)
        answers = torch.zeros_like(tokens, dtype=torch.bool)
        answers[:, -(self.digits + 1) :] = True
        return Batch(tokens, answers, answers)

    def is_held_out(self, pairs: Int[Tensor, "n 2"]) -> Tensor:
        """[n], by a hash of the pair: any rule of arithmetic could be learned along with the sums.

        Both orders of a pair fall on the same side, or a + b would tell b + a.
        """
        low, high = pairs.min(1).values, pairs.max(1).values
        return mixed_bits(low * 10**self.digits + high) < HELD_OUT

    def carries(self, tokens: Int[Tensor, "n n_ctx"]) -> Int[Tensor, " n"]:
        """How many columns of each sum carry a one into the next."""
        a, b = (
            self._number(tokens[:, : self.digits]),
            self._number(tokens[:, self.digits + 1 : 2 * self.digits + 1]),
        )
        tens = 10 ** torch.arange(1, self.digits + 1)
        return (a[:, None] % tens + b[:, None] % tens >= tens).sum(1)

    def floor(self) -> float:
        """0: a sum is certain once the numbers are read, and nothing else counts."""
        return 0.0

    def _digits_of(self, numbers: Int[Tensor, " n"], count: int) -> Int[Tensor, "n count"]:
        return numbers[:, None] // 10 ** torch.arange(count - 1, -1, -1) % 10

    def _number(self, digits: Int[Tensor, "n count"]) -> Int[Tensor, " n"]:
        return (digits * 10 ** torch.arange(digits.shape[1] - 1, -1, -1)).sum(1)
