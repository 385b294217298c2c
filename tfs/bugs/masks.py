"""Bugs of masks: who may see whom, and when that is said."""

from collections.abc import Callable

import torch

from tfs.bugs import fixed
from tfs.bugs.broken import mask_after_softmax, mask_only_when_run, mask_transposed, no_mask
from tfs.bugs.bug import Bug


def is_causal(mask: Callable) -> bool:
    """Each query sees itself and what came before, in training and when run."""
    wanted = [[query >= key for key in range(5)] for query in range(5)]
    return all(mask(5, training).tolist() == wanted for training in (True, False))


def deals_out_to_open_keys(pattern: Callable) -> bool:
    """Each row sums to 1, closed keys get nothing, and their scores change nothing."""
    scores = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    weights, others = pattern(scores, mask), pattern(scores + 3.0 * ~mask, mask)
    sums = weights.sum(-1)
    open_only = bool((weights * ~mask == 0).all()) and torch.allclose(weights, others)
    return open_only and torch.allclose(sums, torch.ones_like(sums))


BUGS = (
    Bug(
        "Trained without a mask, run with one",
        "In training every token may see the next ones, so the model learns to copy the answer "
        "from where it stands. When it is run with a mask, the answer is gone. Training looks "
        "well; the loss on the same kind of sequences does not. A mask belongs to both.",
        mask_only_when_run.mask,
        fixed.mask,
        is_causal,
        "Loss when run",
    ),
    Bug(
        "No mask at all",
        "Nothing crashes without the causal mask, and the loss looks fine or too good, both in "
        "training and on held-out data, since the answer is in view in both. Only writing shows "
        "it: there the next token does not exist yet. Change the last token: no earlier place may "
        "notice.",
        no_mask.mask,
        fixed.mask,
        is_causal,
        "Reach of the last token",
    ),
    Bug(
        "Mask transposed",
        "Rows are queries and columns are keys. With the two changed about, each token sees itself "
        "and the future, and nothing of the past. The loss falls below the lowest that is honest.",
        mask_transposed.mask,
        fixed.mask,
        is_causal,
        "Attention pattern",
    ),
    Bug(
        "Mask after softmax",
        "Closed keys get nothing here either, so the picture of the mask is right. But softmax had "
        "already dealt out a share to them: what is left does not sum to 1, and how much is left "
        "depends on tokens that nobody may see. Such a model can still learn.",
        mask_after_softmax.pattern,
        fixed.pattern,
        deals_out_to_open_keys,
        "Sums of attention rows",
    ),
)
