"""Training is a generator: it yields after every update, and to cancel is not to call next.

The command line, the tests and the app all consume this one loop.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from tfs.model import DecoderOnly, TransformerConfig
from tfs.tasks import Task
from tfs.tasks.batch import seed_for
from tfs.train.backward import BatchLoss, backward, batch_loss, on
from tfs.train.config import TrainConfig
from tfs.train.metrics import Evaluation, evaluate
from tfs.train.optimizer import make_optimizer, optimizer_tensors, restore_optimizer
from tfs.train.processes import as_the_first_says, check_shares, process_number, share_progress
from tfs.train.run import Run
from tfs.train.schedule import lr_at, snapshot_steps


class TrainStep(NamedTuple):
    """What one update reports; the model now has had exactly `step` updates."""

    step: int
    loss: float  # nats per counted token, on this update's batch, before the update
    lr: float
    grad_norm: float  # before clipping
    tokens_per_second: float  # of this update: batch, forward, backward, optimiser
    held_out: Evaluation | None  # after the update, every eval_every steps and at the end


def train(
    model: DecoderOnly,
    task: Task,
    config: TrainConfig,
    run_dir: str | Path | None = None,
    resume: bool = False,
) -> Iterator[TrainStep]:
    """Train `model` in place on `task`, yielding a TrainStep after each update.

    run_dir: where to keep metrics, snapshots and all that resuming needs; None keeps nothing.
    resume: go on from run_dir/last, bit for bit as if the run had never stopped (same machine, same
    number of threads). Every random draw is a function of config.seed and the step.
    Where several processes train together, each calls this with the same arguments, and the first
    alone reads and writes run_dir.
    Raises ValueError where the model cannot read the task, there is no run_dir to resume, or a
    batch has too few sequences for its parts.
    """
    if resume and run_dir is None:
        raise ValueError("resume=True needs run_dir, the directory of the run to go on with")
    check_run(model.cfg, task, config)
    run = Run(run_dir) if run_dir is not None and process_number() == 0 else None
    optimizer = make_optimizer(model, config)
    done, kept_steps = 0, snapshot_steps(config)
    if run and resume:
        done, moments = run.load_last(model)
        restore_optimizer(model, optimizer, moments, done)
    elif run:
        run.start(model, config)
        run.save_snapshot(model, 0)
    done, loss_of = share_progress(model, optimizer, done), batch_loss(model, config)
    held_out_batch = task.sample(config.eval_size, seed_for(config.seed, "held out"), "held_out")
    held_out_batch = on(model.W_E.device, held_out_batch)

    for step in range(done + 1, config.steps + 1):
        started = time.perf_counter()
        loss, grad_norm, tokens = update(model, task, config, optimizer, step, loss_of)
        seconds = time.perf_counter() - started

        last_step = step == config.steps
        held_out = None
        if step % config.eval_every == 0 or last_step:
            held_out = evaluate(model, held_out_batch)
            reached = config.target_loss is not None and held_out.loss <= config.target_loss
            last_step = last_step or as_the_first_says(reached)
        report = TrainStep(step, loss, lr_at(step, config), grad_norm, tokens / seconds, held_out)
        if run:
            run.log(report._asdict() | {"held_out": held_out and held_out._asdict()})
            if step in kept_steps or last_step:
                run.save_snapshot(model, step)
            if step % config.save_every == 0 or last_step:
                run.save_last(model, optimizer_tensors(model, optimizer), step)
        yield report
        if last_step:
            return


def check_run(cfg: TransformerConfig, task: Task, config: TrainConfig) -> None:
    """Raises ValueError where a model cannot read a task, or a batch cannot be shared out."""
    if task.d_vocab > cfg.d_vocab or task.n_ctx > cfg.n_ctx:
        raise ValueError(
            f"the task has d_vocab = {task.d_vocab} and n_ctx = {task.n_ctx}, more than the "
            f"model's {cfg.d_vocab} and {cfg.n_ctx}; make the model at least that large"
        )
    check_shares(config)


def update(
    model: DecoderOnly,
    task: Task,
    config: TrainConfig,
    optimizer: torch.optim.Optimizer,
    step: int,
    loss_of: nn.Module | None = None,
) -> tuple[float, float, int]:
    """Batch, forward, backward, clip, step. Returns loss, gradient norm, tokens read.

    loss_of: from `batch_loss`, where a run is compiled or on several processes.
    """
    batch = task.sample(config.batch_size, seed_for(config.seed, "train", step))
    loss = backward(model, loss_of or BatchLoss(model), batch, config, step)
    most = math.inf if config.grad_clip is None else config.grad_clip
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    grad_norm = torch.nn.utils.clip_grad_norm_(parameters, most)
    for group in optimizer.param_groups:
        group["lr"] = lr_at(step, config)
    optimizer.step()
    optimizer.zero_grad()
    return loss, grad_norm.item(), batch.tokens.numel()
