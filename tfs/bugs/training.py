"""Bugs of training: the batch, the loss, and the learning rate."""

import math
from collections.abc import Callable

import torch

from tfs.bugs import fixed
from tfs.bugs.broken import (
    cat_for_stack,
    no_warm_up,
    padding_in_loss,
    softmax_twice,
    target_not_shifted,
)
from tfs.bugs.bug import Bug


def keeps_sequences_apart(batched: Callable) -> bool:
    """Three sequences of four tokens are a batch of three."""
    rows = list(torch.arange(12).reshape(3, 4))
    return batched(rows).tolist() == torch.arange(12).reshape(3, 4).tolist()


def is_cross_entropy(loss: Callable) -> bool:
    """-ln p of each next token that is no padding, by hand, for logits that are written down."""
    tokens = torch.tensor([[1, 2, 3, fixed.PAD], [2, 3, fixed.PAD, fixed.PAD]])
    logits = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0)) * 3
    surprises = []
    for row, place in ((0, 0), (0, 1), (1, 0)):
        weights = [math.exp(logit) for logit in logits[row, place].tolist()]
        surprises.append(-math.log(weights[int(tokens[row, place + 1])] / sum(weights)))
    return math.isclose(loss(logits, tokens).item(), sum(surprises) / 3, rel_tol=1e-4)


def rises(rate: Callable) -> bool:
    """The first steps are small, the rate never falls on its way, and it reaches its peak."""
    found = [rate(step, 1.0) for step in range(2 * fixed.WARM_UP)]
    return found[0] < 0.1 and found == sorted(found) and found[-1] == 1.0


BUGS = (
    Bug(
        "cat where stack was meant",
        "torch.stack makes a new axis, torch.cat makes an old one longer. Here sequences that "
        "should lie side by side are put end to end: the model reads one long sequence, in which "
        "each example sees those before it. Nothing crashes; print the shapes.",
        cat_for_stack.batched,
        fixed.batched,
        keeps_sequences_apart,
        "Shape of a batch",
    ),
    Bug(
        "Target not shifted",
        "The model is asked for the token that it has just read, and not for the next. The loss "
        "falls to nothing within steps. A loss below what can be known is always a bug.",
        target_not_shifted.loss,
        fixed.loss,
        is_cross_entropy,
        "Loss while training",
    ),
    Bug(
        "Padding in the loss",
        "After padding comes padding: a question that is easy, and asked often. Counted in, it "
        "makes the mean loss look better than the model is, by more the shorter the sequences are, "
        "and it spends the gradient on nothing.",
        padding_in_loss.loss,
        fixed.loss,
        is_cross_entropy,
        "Loss of known cases",
    ),
    Bug(
        "Softmax twice",
        "Cross-entropy takes logits and applies log_softmax itself. To apply log_softmax before it "
        "too is harmless: of log-probabilities it gives the same again. Softmax before it is not: "
        "probabilities lie between 0 and 1, so as logits they can never be sure, and the loss "
        "stays high above 0 even for a model that knows.",
        softmax_twice.loss,
        fixed.loss,
        is_cross_entropy,
        "Loss of known cases",
    ),
    Bug(
        "No warm-up",
        "Adam's first steps are as large as the rate allows, in a direction that few examples "
        "chose. A deep model with the first Transformer's order of norms may not recover from "
        "that; shallow ones and pre-norm models mostly do not care. So the lab's usual two blocks "
        "train well without warm-up too: the loss to look at is that of a deeper, post-norm lab, "
        "which stays at a blind guess among the values.",
        no_warm_up.rate,
        fixed.rate,
        rises,
        "Loss of a deep post-norm lab",
    ),
)
