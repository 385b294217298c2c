"""What a training will cost, before it starts: parameters, arithmetic, and time on this machine."""

import math
import time
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from tfs.arithmetic import training_flops
from tfs.model.architectures import DECODER_ONLY
from tfs.tasks import Task
from tfs.train.backward import batch_loss
from tfs.train.loop import check_run, update
from tfs.train.optimizer import make_optimizer
from tfs.train.processes import process_count
from tfs.train.recipe import Recipe

CPU = torch.device("cpu")
MOST_FLOPS = 10**12  # of an update that is made to be timed
SECONDS_TO_TIME = 2.0


class Costs(NamedTuple):
    parameters: int
    tokens_per_update: int
    tokens: int  # of all updates
    flops_per_update: int  # of matrix products: see tfs.arithmetic.flops
    flops: int
    seconds_per_update: float  # measured
    seconds: float  # so many times the updates


def costs(recipe: Recipe, task: Task | None = None, device: torch.device = CPU) -> Costs:
    """Counted from the recipe, and timed by `seconds_per_update`."""
    task = task or recipe.make_task()
    seconds = seconds_per_update(recipe, task, device)
    steps, batch_size = recipe.train.steps, recipe.train.batch_size
    tokens = task.sample(batch_size, 0).tokens_read
    flops = _flops_per_update(recipe, task, batch_size)
    return Costs(
        parameters=sum(math.prod(shape) for shape in recipe.kind(task).shapes().values()),
        tokens_per_update=tokens,
        tokens=steps * tokens,
        flops_per_update=flops,
        flops=steps * flops,
        seconds_per_update=seconds,
        seconds=steps * seconds,
    )


def _flops_per_update(recipe: Recipe, task: Task, batch_size: int) -> int:
    """By formula for a DecoderOnly; else three times what torch counts in a forward pass."""
    if recipe.architecture == DECODER_ONLY:
        return training_flops(recipe.model, task.n_ctx, batch_size)
    with FlopCounterMode(display=False) as counter:
        task.sample(1, 0).predictions(recipe.kind(task).make())
    return 3 * batch_size * counter.get_total_flops()


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
    flops = _flops_per_update(recipe, task, config.batch_size)
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
