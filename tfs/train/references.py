"""What a loss can be compared with: predictors that know less than a model may learn."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.tasks import Task
from tfs.tasks.batch import Examples, seed_for

SEQUENCES = 4096
MOST_TOKENS = 2**18
PRIORS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)  # imagined observations, spread as a coarser table says


def reference_losses(task: Task, seed: int = 0) -> dict[str, float]:
    """Nats per counted token of a blind guess and of two tables, on sequences not counted for them.

    uniform  ln d_vocab: every token equally likely (or ln of how many labels there are)
    unigram  how often each token is one that counts in the loss
    bigram   how often it follows the token before it (a label: stands at this token)

    The tables are counted on the training split (4,096 sequences, or 262,144 tokens if that is
    less) and measured on the held-out one. To each count are added imagined ones, spread as the
    coarser table has it (Dirichlet smoothing; MacKay & Peto 1995); how many, is what serves best on
    other sequences of the training split.
    """
    n = max(1, min(SEQUENCES, MOST_TOKENS // task.n_ctx))
    seen, other, unseen = (
        _counted(task.sample(n, seed_for(seed, "references", use), split))
        for use, split in (("count", "train"), ("choose", "train"), ("measure", "held_out"))
    )

    classes = classes_of(task)

    def unigram(prior: float) -> Float[Tensor, " d_vocab"]:
        counts = torch.bincount(seen[1], minlength=classes)
        return (counts + prior / classes) / (len(seen[1]) + prior)

    by_prior = {prior: unigram(prior) for prior in PRIORS}
    one = min(by_prior.values(), key=lambda table: _cost(table[other[1]]))
    best = min(PRIORS, key=lambda prior: _cost(_bigram(seen, other, one, prior)))
    return {
        "uniform": math.log(classes),
        "unigram": _cost(one[unseen[1]]),
        "bigram": _cost(_bigram(seen, unseen, one, best)),
    }


def classes_of(task: Task) -> int:
    """How many answers there are to choose from: the tokens, or the labels."""
    return len(getattr(task, "labels", range(task.d_vocab)))


def _cost(probs: Float[Tensor, " n"]) -> float:
    """Nats per token."""
    return -probs.log().mean().item()


def _counted(batch: Examples) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """What stands beside it (see Examples), and the target itself, wherever one counts."""
    return batch.beside[batch.counted], batch.targets[batch.counted]


def _bigram(
    seen: tuple[Tensor, Tensor],
    wanted: tuple[Tensor, Tensor],
    unigram: Float[Tensor, " d_vocab"],
    prior: float,
) -> Float[Tensor, " n"]:
    """The probability of each wanted token after the one before it; pairs are kept sparsely."""
    d_vocab = len(unigram)
    pairs, counts = (seen[0] * d_vocab + seen[1]).unique(return_counts=True)
    asked = wanted[0] * d_vocab + wanted[1]
    place = torch.searchsorted(pairs, asked).clamp(max=len(pairs) - 1)
    pair_count = torch.where(pairs[place] == asked, counts[place], 0)
    before_count = torch.bincount(seen[0], minlength=int(wanted[0].max()) + 1)[wanted[0]]
    return (pair_count + prior * unigram[wanted[1]]) / (before_count + prior)
