"""Training is a generator: it yields after every update, and to cancel is not to call next.

The command line, the tests and the app all consume this one loop.
"""

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from tfs.hooks import HookedModel
from tfs.model import TransformerConfig
from tfs.tasks import Task
from tfs.tasks.batch import Examples, seed_for
from tfs.train.alive import at_work
from tfs.train.backward import BatchLoss, backward, batch_loss, on
from tfs.train.config import TrainConfig
from tfs.train.control import Control
from tfs.train.diverged import Watch
from tfs.train.metrics import Evaluation, evaluate
from tfs.train.optimizer import make_optimizer, optimizer_tensors, restore_optimizer
from tfs.train.processes import (
    as_the_first_says,
    check_shares,
    device_of,
    process_number,
    share_progress,
)
from tfs.train.run import Run, read_metrics
from tfs.train.schedule import lr_at, snapshot_steps


class TrainStep(NamedTuple):
    """What one update reports; the model now has had exactly `step` updates."""

    step: int
    loss: float  # nats per counted token, on this update's batch, before the update
    lr: float
    grad_norm: float  # before clipping
    tokens_per_second: float  # of this update: batch, forward, backward, optimiser
    held_out: Evaluation | None  # after the update, every eval_every steps and at the end
    seen: Evaluation | None = None  # then, on training examples, where the task has only so many


def train(
    model: HookedModel,
    task: Task,
    config: TrainConfig,
    run_dir: str | Path | None = None,
    resume: bool = False,
    control: Control | None = None,
) -> Iterator[TrainStep]:
    """Train `model` in place on `task`, yielding a TrainStep after each update.

    run_dir: where to keep metrics, snapshots and all that resuming needs; None keeps nothing.
    resume: go on from run_dir/last, bit for bit as if the run had never stopped (same machine, same
    number of threads). Every random draw is a function of config.seed and the step.
    control: what may be asked of it meanwhile, such as another learning rate.
    Where several processes train together, each calls this with the same arguments, and the first
    alone writes run_dir.
    Raises ValueError where the model cannot read the task, a batch has too few sequences for its
    parts, there is no run_dir to resume, or another training is at work in it; Diverged, a
    ValueError, where the training runs away. After every report the weights are finite, and what is
    on disk can be resumed.
    """
    if resume and run_dir is None:
        raise ValueError("resume=True needs run_dir, the directory of the run to go on with")
    check_run(model.cfg, task, config)
    control = control or Control()
    run = Run(run_dir) if run_dir is not None and process_number() == 0 else None
    if run and not resume:
        run.directory.mkdir(parents=True, exist_ok=True)
    with at_work(run.directory) if run and not control.is_held else nullcontext():
        yield from _updates(model, task, config, run, run_dir, resume, control)


def _updates(
    model: HookedModel,
    task: Task,
    config: TrainConfig,
    run: Run | None,
    run_dir: str | Path | None,
    resume: bool,
    control: Control,
) -> Iterator[TrainStep]:
    optimizer = make_optimizer(model, config)
    done, kept_steps = 0, snapshot_steps(config)
    if run and resume:
        done, moments = run.load_last(model)
        restore_optimizer(model, optimizer, moments, done)
    elif run:
        run.start(model, config)
        run.save_snapshot(model, 0)
        run.save_last(model, {}, 0)
    done, loss_of = share_progress(model, optimizer, done), batch_loss(model, config)
    past = read_metrics(Path(run_dir)) if run_dir is not None else []
    watch = Watch(task.d_vocab, kept_steps if run else None, [line["loss"] for line in past])
    if run_dir is not None:
        control.read_changes(Path(run_dir))

    def save_last(step: int) -> None:
        """An update's loss is from before it, so weights that are lost already may look good."""
        seen = task.sample(config.batch_size, seed_for(config.seed, "train", step))
        if run and not watch.is_far(evaluate(model, on(device_of(model), seen)).loss):
            run.save_last(model, optimizer_tensors(model, optimizer), step)

    control.save = save_last
    if past and _reached(past[-1]["held_out"] and past[-1]["held_out"]["loss"], config):
        return
    held_out_batch = task.sample(config.eval_size, seed_for(config.seed, "held out"), "held_out")
    held_out_batch = on(device_of(model), held_out_batch)
    if (seen_batch := seen_examples(task, config)) is not None:
        seen_batch = on(device_of(model), seen_batch)

    for step in range(done + 1, config.steps + 1):
        now = control.config_at(step, config)
        started = time.perf_counter()
        loss, grad_norm, tokens = update(model, task, now, optimizer, step, loss_of)
        seconds = time.perf_counter() - started
        watch.look(step, loss, grad_norm, lr_at(step, now), model)

        last_step = step == config.steps
        held_out = seen = None
        if step % config.eval_every == 0 or last_step:
            held_out = evaluate(model, held_out_batch, control.go_on_or_raise)
            seen = seen_batch and evaluate(model, seen_batch, control.go_on_or_raise)
            last_step = last_step or as_the_first_says(_reached(held_out.loss, config))
        speed = tokens / seconds
        report = TrainStep(step, loss, lr_at(step, now), grad_norm, speed, held_out, seen)
        if run:
            run.log(_as_logged(report))
            if step in kept_steps or last_step:
                run.save_snapshot(model, step)
            if step % config.save_every == 0 or last_step:
                control.save(step)
        yield report
        if last_step:
            return


def seen_examples(task: Task, config: TrainConfig) -> Examples | None:
    """A fixed sample of the training examples, where they come again and again: how many of them
    are known by heart is then another question than how well others are answered."""
    if not getattr(task, "repeats_its_examples", False):
        return None
    return task.sample(config.eval_size, seed_for(config.seed, "seen"), "train")


def _as_logged(report: TrainStep) -> dict[str, Any]:
    """A report as a line of metrics.jsonl; "seen" only where there is such an evaluation."""
    line = report._asdict() | {"held_out": report.held_out and report.held_out._asdict()}
    del line["seen"]
    return line | ({"seen": report.seen._asdict()} if report.seen else {})


def _reached(held_out_loss: float | None, config: TrainConfig) -> bool:
    """Whether the run ends here because it is as good as was asked for."""
    return None not in (held_out_loss, config.target_loss) and held_out_loss <= config.target_loss


def check_run(cfg: TransformerConfig, task: Task, config: TrainConfig) -> None:
    """Raises ValueError where a model cannot read a task, or a batch cannot be shared out."""
    if task.d_vocab > cfg.d_vocab or task.n_ctx > cfg.n_ctx:
        raise ValueError(
            f"the task has d_vocab = {task.d_vocab} and n_ctx = {task.n_ctx}, more than the "
            f"model's {cfg.d_vocab} and {cfg.n_ctx}; make the model at least that large"
        )
    check_shares(config)


def update(
    model: HookedModel,
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
    loss = backward(model, loss_of or BatchLoss(model, config.label_smoothing), batch, config, step)
    most = math.inf if config.grad_clip is None else config.grad_clip
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    grad_norm = torch.nn.utils.clip_grad_norm_(parameters, most)
    for group in optimizer.param_groups:
        group["lr"] = lr_at(step, config)
    optimizer.step()
    optimizer.zero_grad()
    return loss, grad_norm.item(), batch.tokens_read
