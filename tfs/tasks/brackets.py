"""Brackets that match: a stack, to be kept in the residual stream."""

import math
from functools import cache

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import WordTokenizer

PAIRS = ["()", "[]", "{}", "<>"]


class BracketsTask:
    """A random string of brackets that all match, of a fixed even length.

    With length 8 and 2 kinds: ( [ ] ) [ ( ) ]. While there is a choice, a bracket opens or closes
    with probability 1/2 each; one that opens is of any kind, all equally likely. An answer is a
    bracket that closes: that it is of the right kind can be known.
    """

    name = "brackets"

    def __init__(self, kinds: int = 2, length: int = 16) -> None:
        if not 2 <= kinds <= len(PAIRS):
            raise ValueError(f"kinds must lie in 2 ... {len(PAIRS)}, not {kinds}")
        if length < 2 or length % 2:
            raise ValueError(f"length must be even, so that all brackets match, not {length}")
        self.kinds = kinds
        self.length = length
        self.d_vocab = 2 * kinds
        self.n_ctx = length
        self.tokenizer = WordTokenizer([pair[side] for side in (0, 1) for pair in PAIRS[:kinds]])

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n fresh strings, [n length]; both splits draw from the same endless supply."""
        g = generator(seed)
        heads = torch.rand(n, self.length, generator=g) < 0.5
        kinds = torch.randint(self.kinds, (n, self.length), generator=g)
        depth = torch.zeros(n, dtype=torch.int64)
        stack = torch.zeros(n, self.length // 2 + 1, dtype=torch.int64)  # the kinds still open
        tokens = torch.zeros(n, self.length, dtype=torch.int64)
        row = torch.arange(n)
        for place in range(self.length):
            opens = (depth == 0) | (heads[:, place] & (depth < self.length - place))
            top = stack[row, (depth - 1).clamp(min=0)]
            stack[row, depth] = torch.where(opens, kinds[:, place], stack[row, depth])
            tokens[:, place] = torch.where(opens, kinds[:, place], self.kinds + top)
            depth += torch.where(opens, 1, -1)
        predicted = torch.ones_like(tokens, dtype=torch.bool)
        predicted[:, 0] = False
        return Batch(tokens, predicted, predicted & (tokens >= self.kinds))

    def floor(self) -> float:
        """The entropy of the string after its first bracket, over length - 1 predictions.

        At depth d with r brackets to come: where 0 < d < r, there is a choice, ln 2; a bracket that
        opens costs ln(kinds) more. At d = 0 it must open, and at d = r it must close. The sum of
        these, weighted by how likely each (d, r) is, obeys a recursion over r.
        """

        @cache
        def entropy(depth: int, left: int) -> float:
            if left == 0:
                return 0.0
            if depth == left:
                return entropy(depth - 1, left - 1)
            opening = math.log(self.kinds) + entropy(depth + 1, left - 1)
            if depth == 0:
                return opening
            return math.log(2) + (opening + entropy(depth - 1, left - 1)) / 2

        return entropy(1, self.length - 1) / (self.length - 1)
