"""Addition modulo p: few examples, learned by heart first and understood much later.

Power et al. 2022, "Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets";
Nanda et al. 2023, "Progress Measures for Grokking via Mechanistic Interpretability".
"""

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import WordTokenizer


class ModularAdditionTask:
    """Two numbers below p, "=", and their sum modulo p.

    With p 59: 31 40 = 12. Only the sum counts in the loss. All p^2 examples are known beforehand: a
    fixed part of them is the training set, and the others are held out. The split is by unordered
    pair, for a + b would give b + a away.
    """

    name = "modular-addition"
    repeats_its_examples = True  # so that training also reports how many of them are known

    def __init__(self, p: int = 59, train_fraction: float = 0.7, split_seed: int = 0) -> None:
        if p < 3:
            raise ValueError(
                f"p must be at least 3, so that there is something to hold out, not {p}"
            )
        if not 0 < train_fraction < 1:
            raise ValueError(f"train_fraction must lie between 0 and 1, not {train_fraction}")
        self.p = p
        self.train_fraction = train_fraction
        self.d_vocab = p + 1
        self.n_ctx = 4
        self.tokenizer = WordTokenizer([*map(str, range(p)), "="])
        low, high = torch.triu_indices(p, p)
        order = torch.randperm(len(low), generator=generator(split_seed))
        cut = min(max(1, round(train_fraction * len(low))), len(low) - 1)
        self.pairs = {
            name: torch.cat([pairs, pairs[pairs[:, 0] != pairs[:, 1]].flip(1)])
            for name, pairs in (
                ("train", torch.stack([low[order[:cut]], high[order[:cut]]], dim=1)),
                ("held_out", torch.stack([low[order[cut:]], high[order[cut:]]], dim=1)),
            )
        }

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n examples of one side of the split, [n 4], drawn with replacement."""
        pairs = self.pairs[split]
        a, b = pairs[torch.randint(len(pairs), (n,), generator=generator(seed))].T
        tokens = torch.stack([a, b, torch.full_like(a, self.p), (a + b) % self.p], dim=1)
        answers = torch.zeros_like(tokens, dtype=torch.bool)
        answers[:, -1] = True
        return Batch(tokens, answers, answers)

    def floor(self) -> float:
        """0: the sum is certain."""
        return 0.0
