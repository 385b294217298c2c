"""Training: a loop that is a generator, and the files a run leaves."""

from tfs.train.config import TrainConfig
from tfs.train.loop import TrainStep, train
from tfs.train.metrics import Evaluation, evaluate, nats_per_character
from tfs.train.schedule import lr_at, snapshot_steps

__all__ = [
    "Evaluation",
    "TrainConfig",
    "TrainStep",
    "evaluate",
    "lr_at",
    "nats_per_character",
    "snapshot_steps",
    "train",
]
