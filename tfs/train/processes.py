"""One training on several processes, each with its share of every batch.

    torchrun --nproc-per-node=2 -m tfs train mirror

torchrun starts the processes and tells each its number; PyTorch's DistributedDataParallel adds up
their gradients, over gloo on CPUs and over NCCL on GPUs. The first process alone writes and prints.
Without torchrun there is one process, and nothing here does anything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from tfs.hooks import HookedModel
from tfs.train.config import TrainConfig
from tfs.train.optimizer import moments_of, optimizer_tensors, restore_optimizer

LONGEST_WAIT = timedelta(minutes=30)  # for one of the others, before a process gives up
DEVICES = ("cpu", "cuda", "auto")


def device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def process_count() -> int:
    """How many processes train together; 1 outside a `process_group`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def process_number() -> int:
    """This process's, from 0."""
    return dist.get_rank() if process_count() > 1 else 0


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Train together with the other processes inside the `with`, where torchrun started several.

    Where a process ends with an error, torchrun ends the others, wherever they wait.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        dist.destroy_process_group()


def find_device(name: str) -> torch.device:
    """ "cpu", "cuda" (of several GPUs, this process's own) or "auto": a GPU where there is one.

    Raises ValueError where a GPU is asked for and there is none for this process.
    """
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, not {name!r}")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= there:
        raise ValueError(
            f"process {number} of this machine finds no GPU of its own: there are {there}; start "
            "fewer processes, or train with --device cpu"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def check_shares(config: TrainConfig) -> None:
    """Raises ValueError where a batch has too few sequences for every process and part."""
    processes, parts = process_count(), config.accumulate
    if config.batch_size < processes * parts:
        raise ValueError(
            f"batch_size = {config.batch_size} is less than one sequence for each of {processes} "
            f"processes in accumulate = {parts} parts; make the batch larger"
        )


def share_progress(model: HookedModel, optimizer: torch.optim.Optimizer, done: int) -> int:
    """Give every process the step and the optimiser's moments of the first; returns the step.

    The first process has read them from its disk, which others need not see. (The weights go from
    the first to all when DistributedDataParallel is made.)
    """
    if process_count() == 1:
        return done
    device = device_of(model)
    step = torch.tensor(done, device=device)
    dist.broadcast(step, 0)
    if done := step.item():
        moments = optimizer_tensors(model, optimizer) or {
            f"{moment}.{name}": torch.empty_like(parameter)
            for name, parameter in model.named_parameters()
            for moment in moments_of(optimizer)
        }
        moments = {name: tensor.detach().contiguous() for name, tensor in moments.items()}
        for name in sorted(moments):
            dist.broadcast(moments[name], 0)
        restore_optimizer(model, optimizer, moments, done)
    return done


def as_the_first_says(answer: bool) -> bool:
    """The first process's answer, on all: machines may round differently, and must stop as one."""
    if process_count() == 1:
        return answer
    answers = [answer]
    dist.broadcast_object_list(answers, 0)
    return answers[0]
