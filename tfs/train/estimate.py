"""What a training will cost, before it starts: parameters, arithmetic, and time on this machine."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import mean, median
from typing import NamedTuple

import torch

from tfs.arithmetic import (
    Term,
    encoder_decoder_flops_terms,
    forward_flops_terms,
    masked_words_flops_terms,
    pair_classifier_flops_terms,
    token_classifier_flops_terms,
    total,
)
from tfs.model import Kind
from tfs.model.architectures import (
    DECODER_ONLY,
    ENCODER_DECODER,
    ENCODER_ONLY,
    PAIR_CLASSIFIER,
    TOKEN_CLASSIFIER,
)
from tfs.tasks import LabelledBatch, PairBatch, Task
from tfs.tasks.batch import Batch, Examples
from tfs.train.backward import batch_loss
from tfs.train.loop import check_run, update
from tfs.train.optimizer import make_optimizer
from tfs.train.processes import process_count
from tfs.train.recipe import Recipe

CPU = torch.device("cpu")
MOST_FLOPS = 10**12  # of an update that is made to be timed
SECONDS_TO_TIME = 2.0
BATCHES_TO_COUNT = 8


def _of_a_decoder(kind: Kind, batch: Batch) -> list[Term]:
    return forward_flops_terms(kind.cfg, batch.tokens.shape[1], len(batch.tokens))


def _of_two_texts(kind: Kind, batch: PairBatch) -> list[Term]:
    rows, target_pos = batch.beside.shape
    return encoder_decoder_flops_terms(kind.cfg, batch.source.shape[1], target_pos, rows)


def _of_masked_words(kind: Kind, batch: LabelledBatch) -> list[Term]:
    return masked_words_flops_terms(kind.cfg, batch.tokens.shape[1], len(batch.tokens))


def _of_tags(kind: Kind, batch: LabelledBatch) -> list[Term]:
    rows, pos = batch.tokens.shape
    return token_classifier_flops_terms(kind.cfg, pos, len(kind.labels), rows)


def _of_a_pair(kind: Kind, batch: LabelledBatch) -> list[Term]:
    rows, pos = batch.tokens.shape
    return pair_classifier_flops_terms(kind.cfg, pos, len(kind.labels), rows)


FORWARD_TERMS: dict[str, Callable[..., list[Term]]] = {
    DECODER_ONLY: _of_a_decoder,
    ENCODER_DECODER: _of_two_texts,
    ENCODER_ONLY: _of_masked_words,
    TOKEN_CLASSIFIER: _of_tags,
    PAIR_CLASSIFIER: _of_a_pair,
}


class Costs(NamedTuple):
    parameters: int
    tokens_per_update: int
    tokens: int  # of all updates
    flops_per_update: int  # of matrix products: see tfs.arithmetic.flops
    flops: int
    seconds_per_update: float  # measured
    seconds: float  # so many times the updates


def costs(recipe: Recipe, task: Task | None = None, device: torch.device = CPU) -> Costs:
    """Counted from the recipe, and timed by `seconds_per_update`.

    Where texts are not all as long, batches are not all as wide: then tokens and FLOPs are the mean
    of a few.
    """
    task = task or recipe.make_task()
    seconds = seconds_per_update(recipe, task, device)
    steps, kind = recipe.train.steps, recipe.kind(task)
    batches = [task.sample(recipe.train.batch_size, seed) for seed in range(BATCHES_TO_COUNT)]
    tokens = round(mean(batch.tokens_read for batch in batches))
    flops = round(mean(flops_per_update(kind, batch) for batch in batches))
    return Costs(
        parameters=sum(math.prod(shape) for shape in kind.shapes().values()),
        tokens_per_update=tokens,
        tokens=steps * tokens,
        flops_per_update=flops,
        flops=steps * flops,
        seconds_per_update=seconds,
        seconds=steps * seconds,
    )


def flops_per_update(kind: Kind, batch: Examples) -> int:
    """Of an update on this batch, padded as wide as its longest text: three forward passes' worth
    (see tfs.arithmetic.flops.training_flops), with logits at every position. An update on a CPU
    leaves out those that no loss asks for."""
    return 3 * total(FORWARD_TERMS[kind.architecture](kind, batch))


def seconds_per_update(
    recipe: Recipe, task: Task | None = None, device: torch.device = CPU, updates: int = 3
) -> float:
    """The median time of a few real updates, of a model made for this and thrown away.

    It takes one update more than it times, since the first one also finds memory and compiles. The
    number of threads is torch's at the moment. Of several processes, all must call it.

    A batch of which an update would take long is timed by as many of its sequences as take less;
    and if one update takes SECONDS_TO_TIME, it is the only one.

    Left out of it: evaluations, snapshots and saves; and nobody knows what else the machine will
    have to do meanwhile. Raises ValueError where the recipe cannot be trained.
    """
    task = task or recipe.make_task()
    check_run(recipe.model, task, recipe.train)
    config = recipe.train
    flops = flops_per_update(recipe.kind(task), task.sample(config.batch_size, 0))
    if flops > MOST_FLOPS and process_count() == 1:
        rows = max(1, config.batch_size * MOST_FLOPS // flops)
        config = replace(config, batch_size=rows, accumulate=1)
    model = recipe.kind(task).make().to(device)
    optimizer = make_optimizer(model, config)
    loss_of = batch_loss(model, config)
    seconds = []
    for step in range(1, updates + 2):
        started = time.perf_counter()
        update(model, task, config, optimizer, step, loss_of)
        seconds.append(time.perf_counter() - started)
        if seconds[0] > SECONDS_TO_TIME:
            break
    return median(seconds[1:] or seconds) * recipe.train.batch_size / config.batch_size
