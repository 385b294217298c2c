"""Repeated random tokens: the task on which induction heads form (Olsson et al. 2022)."""

import math

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import IntegerTokenizer

BOS = 0


class RepeatedTokensTask:
    """A start token, then a block of random distinct tokens, tiled to the end.

    With a block of 3 and n_ctx 9: 0 | 17 5 9 | 17 5 9 | 17 5. The length of the block is drawn anew
    for every sequence; were it fixed, one layer could learn "attend so many back", which is no
    induction. Tokens of a block differ, so that "what came after this token last time" is the
    answer.
    """

    name = "induction"

    def __init__(
        self, d_vocab: int = 256, n_ctx: int = 48, shortest: int = 8, longest: int = 24
    ) -> None:
        if not 1 <= shortest <= longest < min(d_vocab, n_ctx):
            raise ValueError(
                "block lengths must satisfy 1 <= shortest <= longest < d_vocab and n_ctx; here "
                f"shortest = {shortest}, longest = {longest}, d_vocab = {d_vocab}, n_ctx = {n_ctx}"
            )
        self.d_vocab = d_vocab
        self.n_ctx = n_ctx
        self.shortest = shortest
        self.longest = longest
        self.tokenizer = IntegerTokenizer(d_vocab)

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh sequences, [n n_ctx]; answers are the copies after the first copied token."""
        g = generator(seed)
        lengths = torch.randint(self.shortest, self.longest + 1, (n, 1), generator=g)
        keys = torch.rand(n, self.d_vocab - 1, generator=g)
        blocks = keys.topk(self.longest).indices + 1  # random and distinct; 0 is the start token
        place = torch.arange(self.n_ctx - 1).expand(n, -1)
        tokens = torch.cat([torch.full((n, 1), BOS), blocks.gather(1, place % lengths)], dim=1)
        predicted = torch.ones_like(tokens, dtype=torch.bool)
        predicted[:, 0] = False
        answers = torch.cat([torch.zeros(n, 1, dtype=torch.bool), place > lengths], dim=1)
        return Batch(tokens, predicted, answers)

    def floor(self) -> float:
        """Mean loss of the best possible predictor, in nats per predicted token.

        Token i of the block (from 0) is one of V - i unseen symbols, V = d_vocab - 1. Once i
        reaches `shortest`, the block may also end here: the lengths i ... longest are equally
        likely, so it ends with probability 1 / (longest - i + 1). When it has ended, everything is
        known.
        """
        symbols, predictions = self.d_vocab - 1, self.n_ctx - 1

        def ends(i: int) -> float:
            return 1 / (self.longest - i + 1) if i >= self.shortest else 0.0

        total = 0.0
        for length in range(self.shortest, self.longest + 1):
            for i in range(min(length, predictions)):
                total += math.log(symbols - i) - math.log1p(-ends(i))
            if length < predictions:
                total -= math.log(ends(length))
        return total / (self.longest - self.shortest + 1) / predictions
