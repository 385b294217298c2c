"""The gradient of an update: on any device, over parts of a batch, on several processes.

A loss is a mean over the tokens that count, and parts of a batch differ in how many they have. So
each part divides its sum by the count of the *whole* batch: then parts simply add up, in whatever
way the batch is cut.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tfs.hooks import HookedModel
from tfs.tasks.batch import Examples
from tfs.train.config import TrainConfig
from tfs.train.dropout import dropout_hooks
from tfs.train.loss import training_loss
from tfs.train.processes import device_of, process_count, process_number


class BatchLoss(nn.Module):
    """training_loss as a module, so that PyTorch can compile it, or spread it over processes."""

    def __init__(self, model: nn.Module, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.model, self.label_smoothing = model, label_smoothing

    def forward(self, batch: Examples, all_counted: int) -> Float[Tensor, ""]:
        return training_loss(self.model, batch, all_counted, self.label_smoothing)


def batch_loss(model: nn.Module, config: TrainConfig) -> nn.Module:
    """A model's loss as this run computes it; every process has the first one's weights then."""
    loss: nn.Module = BatchLoss(model, config.label_smoothing)
    if config.compile:
        loss.compile()
    return DistributedDataParallel(loss) if process_count() > 1 else loss


def on(device: torch.device, batch: Examples) -> Examples:
    return type(batch)(*(tensor.to(device) for tensor in batch))


def share_of(batch: Examples, accumulate: int) -> list[tuple[int, Examples]]:
    """This process's parts of a batch, each with the number of its first row."""
    count, number = process_count() * accumulate, process_number() * accumulate
    if count == 1:
        return [(0, batch)]
    columns = [tensor.tensor_split(count) for tensor in batch]
    parts = [type(batch)(*part) for part in zip(*columns, strict=True)]
    firsts = [sum(len(part[0]) for part in parts[:place]) for place in range(count)]
    return list(zip(firsts, parts, strict=True))[number : number + accumulate]


def backward(
    model: HookedModel, loss_of: nn.Module, batch: Examples, config: TrainConfig, step: int
) -> float:
    """Add the gradient of the batch's mean loss to the parameters'; returns that loss.

    batch: of the whole update; each process takes its share. loss_of: from `batch_loss`.
    """
    device, processes = device_of(model), process_count()
    all_counted = int(batch.counted.sum())
    loss = torch.zeros((), device=device)
    parts = share_of(batch, config.accumulate)
    for place, (row, part) in enumerate(parts, 1):
        waits = processes > 1 and place < len(parts)  # gradients travel once, with the last part
        with loss_of.no_sync() if waits else nullcontext():
            dropout = dropout_hooks(config.dropout, config.seed, step, row)
            with model.hooks(dropout), precision(config, device):
                part_loss = loss_of(on(device, part), all_counted)
            if processes > 1:  # DistributedDataParallel will divide by their number
                (part_loss * processes).backward()
            else:
                part_loss.backward()
        loss += part_loss.detach()
    if processes > 1:
        dist.all_reduce(loss)
    return loss.item()


def precision(config: TrainConfig, device: torch.device) -> AbstractContextManager:
    """Products are taken in bfloat16 where that is asked for, and the device can."""
    able = device.type != "cuda" or torch.cuda.is_bf16_supported()
    if config.precision == "bfloat16" and able:
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
