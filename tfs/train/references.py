"""What a loss can be compared with: predictors that know less than a model may learn."""

import math

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tfs.tasks import Batch, Task
from tfs.tasks.batch import seed_for

SEQUENCES = 4096
MOST_TOKENS = 2**18
PRIOR = 1.0  # imagined observations, spread as the coarser predictor has it


def reference_losses(task: Task, seed: int = 0) -> dict[str, float]:
    """Nats per counted token of a blind guess and of two tables, on sequences not counted for them.

    uniform  ln d_vocab: every token equally likely
    unigram  how often each token is one that counts in the loss
    bigram   how often it follows the token before it

    The tables are counted on the training split (4,096 sequences, or 262,144 tokens if that is
    less) and measured on the held-out one. Each count starts at what the coarser table expects, as
    if it had been seen once (Dirichlet smoothing; MacKay & Peto 1995), so nothing costs infinity.
    """
    n = max(1, min(SEQUENCES, MOST_TOKENS // task.n_ctx))
    seen = _counted(task.sample(n, seed_for(seed, "references", "train"), "train"))
    unseen = _counted(task.sample(n, seed_for(seed, "references", "held out"), "held_out"))
    unigram = (torch.bincount(seen[1], minlength=task.d_vocab) + PRIOR / task.d_vocab) / (
        len(seen[1]) + PRIOR
    )
    return {
        "uniform": math.log(task.d_vocab),
        "unigram": -unigram[unseen[1]].log().mean().item(),
        "bigram": -_bigram(seen, unseen, unigram, task.d_vocab).log().mean().item(),
    }


def _counted(batch: Batch) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """The token before, and the token itself, wherever a token counts in the loss."""
    counts: Bool[Tensor, "batch predicted_pos"] = batch.loss_mask[:, 1:]
    return batch.tokens[:, :-1][counts], batch.tokens[:, 1:][counts]


def _bigram(
    seen: tuple[Tensor, Tensor], unseen: tuple[Tensor, Tensor], unigram: Tensor, d_vocab: int
) -> Tensor:
    """The probability of each unseen token after the one before it; pairs are kept sparsely."""
    pairs, counts = (seen[0] * d_vocab + seen[1]).unique(return_counts=True)
    wanted = unseen[0] * d_vocab + unseen[1]
    place = torch.searchsorted(pairs, wanted).clamp(max=len(pairs) - 1)
    pair_count = torch.where(pairs[place] == wanted, counts[place], 0)
    before_count = torch.bincount(seen[0], minlength=d_vocab)[unseen[0]]
    return (pair_count + PRIOR * unigram[unseen[1]]) / (before_count + PRIOR)
