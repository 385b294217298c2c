"""The mirrored string: random tokens, then the same tokens backwards."""

import math

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import IntegerTokenizer


class MirrorTask:
    """The second half of the sequence is the first half, mirrored.

    With length 6: 41 7 93 93 7 41. The first half cannot be predicted; the second can, by whoever
    knows which position it looks back to.
    """

    name = "mirror"

    def __init__(self, d_vocab: int = 100, n_ctx: int = 16) -> None:
        if d_vocab < 2:
            raise ValueError(f"d_vocab must be at least 2 for tokens to differ, not {d_vocab}")
        if n_ctx < 2 or n_ctx % 2:
            raise ValueError(f"n_ctx must be even, so that it has two halves, not {n_ctx}")
        self.d_vocab = d_vocab
        self.n_ctx = n_ctx
        self.tokenizer = IntegerTokenizer(d_vocab)
        self.answer_positions = list(range(n_ctx // 2, n_ctx))

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh strings, [n n_ctx]; both splits draw from the same endless supply."""
        half = torch.randint(self.d_vocab, (n, self.n_ctx // 2), generator=generator(seed))
        tokens = torch.cat([half, half.flip(1)], dim=1)
        predicted = torch.ones_like(tokens, dtype=torch.bool)
        predicted[:, 0] = False
        answers = torch.zeros_like(predicted)
        answers[:, self.answer_positions] = True
        return Batch(tokens, predicted, answers)

    def floor(self) -> float:
        """(n_ctx / 2 - 1) ln d_vocab / (n_ctx - 1) nats per predicted token.

        Of the n_ctx - 1 predictions, those of the first half's tokens after the first are of
        uniform random tokens, ln d_vocab each; the others can be known for certain and cost
        nothing.
        """
        return (self.n_ctx / 2 - 1) * math.log(self.d_vocab) / (self.n_ctx - 1)
