"""The mirrored string: random tokens, then the same tokens backwards."""

import math

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import IntegerTokenizer


class MirrorTask:
    """The second half of the sequence is the first half, mirrored.

    With length 6: 41 7 93 93 7 41. The first half cannot be predicted; the second can, by whoever
    knows which position it looks back to.

    start_token: with length 7, 0 41 7 93 93 7 41. Token 0 stands first and nowhere else, so that a
    model without positions can tell how many tokens it has read: attention spread evenly gives the
    start token a weight of one over their number.
    """

    name = "mirror"

    def __init__(self, d_vocab: int = 100, n_ctx: int = 16, start_token: bool = False) -> None:
        self.lowest = int(start_token)  # of the tokens that are drawn, and where the string begins
        self.half = (n_ctx - self.lowest) // 2
        if d_vocab - self.lowest < 2:
            beside = " beside the start token" if start_token else ""
            raise ValueError(
                f"d_vocab must be at least {2 + self.lowest} for tokens{beside} to differ, "
                f"not {d_vocab}"
            )
        if self.half < 1 or (n_ctx - self.lowest) % 2:
            wanted = "odd, for a start token and" if start_token else "even, for"
            raise ValueError(f"n_ctx must be {wanted} two halves of one token or more, not {n_ctx}")
        self.d_vocab = d_vocab
        self.n_ctx = n_ctx
        self.start_token = start_token
        self.tokenizer = IntegerTokenizer(d_vocab)
        self.answer_positions = list(range(n_ctx - self.half, n_ctx))

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh strings, [n n_ctx]; both splits draw from the same endless supply."""
        g = generator(seed)
        half = torch.randint(self.lowest, self.d_vocab, (n, self.half), generator=g)
        start = torch.zeros(n, self.lowest, dtype=torch.int64)
        tokens = torch.cat([start, half, half.flip(1)], dim=1)
        predicted = torch.ones_like(tokens, dtype=torch.bool)
        predicted[:, 0] = False
        answers = torch.zeros_like(predicted)
        answers[:, self.answer_positions] = True
        return Batch(tokens, predicted, answers)

    def floor(self) -> float:
        """(n_ctx / 2 - 1) ln d_vocab / (n_ctx - 1) nats per predicted token.

        Of the n_ctx - 1 predictions, those of the first half's tokens after the first are of
        uniform random tokens, ln d_vocab each; the others can be known for certain and cost
        nothing. After a start token the first half's first token is predicted as well, of one
        symbol fewer: half of the predictions, ln(d_vocab - 1) / 2.
        """
        uncertain = self.half - 1 + self.lowest
        return uncertain * math.log(self.d_vocab - self.lowest) / (self.n_ctx - 1)
