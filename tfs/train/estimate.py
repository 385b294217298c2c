"""What a training will cost, before it starts: parameters, arithmetic, and time on this machine."""

import time
from statistics import median
from typing import NamedTuple

import torch

from tfs.arithmetic import parameter_terms, total, training_flops
from tfs.model import DecoderOnly
from tfs.tasks import Task
from tfs.train.backward import batch_loss
from tfs.train.loop import check_run, update
from tfs.train.optimizer import make_optimizer
from tfs.train.recipe import Recipe

CPU = torch.device("cpu")


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
    tokens = batch_size * task.n_ctx
    flops = training_flops(recipe.model, task.n_ctx, batch_size)
    return Costs(
        parameters=total(parameter_terms(recipe.model)),
        tokens_per_update=tokens,
        tokens=steps * tokens,
        flops_per_update=flops,
        flops=steps * flops,
        seconds_per_update=seconds,
        seconds=steps * seconds,
    )


def seconds_per_update(
    recipe: Recipe, task: Task | None = None, device: torch.device = CPU, updates: int = 3
) -> float:
    """The median time of a few real updates, of a model made for this and thrown away.

    It takes one update more than it times, since the first one also finds memory and compiles. The
    number of threads is torch's at the moment. Of several processes, all must call it.

    Left out of it: evaluations, snapshots and saves; and nobody knows what else the machine will
    have to do meanwhile. Raises ValueError where the recipe cannot be trained.
    """
    task = task or recipe.make_task()
    check_run(recipe.model, task, recipe.train)
    model = DecoderOnly(recipe.model).to(device)
    optimizer = make_optimizer(model, recipe.train)
    loss_of = batch_loss(model, recipe.train)
    seconds = []
    for step in range(1, updates + 2):
        started = time.perf_counter()
        update(model, task, recipe.train, optimizer, step, loss_of)
        seconds.append(time.perf_counter() - started)
    return median(seconds[1:])
