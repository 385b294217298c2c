"""How good a model is, on data it was not trained on."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from tfs.model import DecoderOnly
from tfs.tasks.batch import Examples
from tfs.train.loss import mean_loss

TOKENS_AT_ONCE = 2**13
LOGITS_AT_ONCE = 2**24


class Evaluation(NamedTuple):
    loss: float  # nats per counted token
    accuracy: float  # of the answers, how many the largest logit names
    exact: float  # of the sequences that have answers, how many have all of them right
    by_position: list[float | None]  # the accuracy at each position; None where no answer stands


@torch.no_grad()
def evaluate(
    model: nn.Module, batch: Examples, between: Callable[[], None] = lambda: None
) -> Evaluation:
    """Loss and answer accuracy of a model on a batch, taken a slice at a time.

    between: called before each slice; what it raises ends the evaluation.
    Raises ValueError where no token counts in the loss; accuracy and exact are NaN where there is
    no answer.
    """
    all_counted = batch.counted.sum().item()
    if not all_counted:
        raise ValueError(
            "no token of this batch counts in the loss: give it a loss_mask that is True somewhere "
            "after position 0, which is never predicted"
        )
    every = len(batch[0])
    rows = max(1, TOKENS_AT_ONCE * every // batch.tokens_read)
    loss, right = 0.0, []
    for start in range(0, every, rows):
        between()
        part = type(batch)(*(tensor[start : start + rows] for tensor in batch))
        logits = part.predictions(model)
        if counted := part.counted.sum().item():  # else the mean over none would be NaN
            loss += mean_loss(logits, part.targets, part.counted).item() * counted
        right.append((logits.argmax(-1) == part.targets) & part.answers)
    graded = _graded(torch.cat(right), batch.answers, batch.first_predicted)
    return Evaluation(loss / all_counted, *graded)


def _graded(
    right: Bool[Tensor, "batch predicted_pos"],
    answers: Bool[Tensor, "batch predicted_pos"],
    first_predicted: int,
) -> tuple[float, float, list[float | None]]:
    """Of the answers, of the sequences, and at each position from the very first on."""
    if not answers.any():
        return math.nan, math.nan, [None] * (answers.shape[1] + first_predicted)
    asked = answers.any(1)
    exact = (right == answers).all(1)[asked].double().mean().item()
    counts = zip(right.sum(0).tolist(), answers.sum(0).tolist(), strict=True)
    by_position = [
        *[None] * first_predicted,
        *(good / all_of_them if all_of_them else None for good, all_of_them in counts),
    ]
    return (right.sum() / answers.sum()).item(), exact, by_position


@torch.no_grad()
def nats_per_character(
    model: DecoderOnly,
    tokens: Int[Tensor, " pos"],
    characters: int,
    stride: int | None = None,
    between: Callable[[], None] = lambda: None,
) -> float:
    """The cost of a whole text, in nats per character: comparable across tokenizers.

    Every token after the first is predicted once. Windows of n_ctx predictions end `stride` apart
    (n_ctx: side by side, the default), and each counts those that no earlier window made; so, past
    the first window, a prediction has more than n_ctx - stride tokens of context.
    """
    n_ctx = model.cfg.n_ctx
    stride = n_ctx if stride is None else stride
    if not 1 <= stride <= n_ctx:
        raise ValueError(f"stride must lie in 1 ... n_ctx = {n_ctx}, not {stride}")
    inputs, targets = tokens[:-1], tokens[1:]
    last = len(targets)
    if last == 0:
        return 0.0
    ends = torch.tensor([*range(min(n_ctx, last), last, stride), last])
    length = min(n_ctx, last)
    counted = ends.diff(prepend=torch.tensor([0]))  # predictions that no earlier window made
    rows = max(1, LOGITS_AT_ONCE // (length * model.cfg.d_vocab))
    nats = 0.0
    for some_ends, some_counted in zip(ends.split(rows), counted.split(rows), strict=True):
        between()
        places = some_ends[:, None] - length + torch.arange(length)
        log_probs = model(inputs[places]).log_softmax(-1)
        per_token = -log_probs.gather(2, targets[places, None]).squeeze(2)
        is_new = torch.arange(length) >= length - some_counted[:, None]
        nats += per_token[is_new].double().sum().item()
    return nats / characters
