"""When things happen: the learning rate of each update, and the steps whose weights are kept."""

import math

from tfs.train.config import TrainConfig


def lr_at(step: int, config: TrainConfig) -> float:
    """Learning rate of update `step`, from 1. A pure function, so a page can draw it first."""
    if step <= config.warmup_steps:
        return config.lr * step / config.warmup_steps
    if config.schedule == "constant":
        return config.lr
    if config.schedule == "inverse_sqrt":
        return config.lr * math.sqrt(max(config.warmup_steps, 1) / step)
    left = max(config.steps - config.warmup_steps, 1)
    progress = min((step - config.warmup_steps) / left, 1.0)
    fall = (1 + math.cos(math.pi * progress)) / 2 if config.schedule == "cosine" else 1 - progress
    return config.lr * (config.final_lr_fraction + (1 - config.final_lr_fraction) * fall)


def snapshot_steps(config: TrainConfig) -> list[int]:
    """0, the last step, and between them so many per doubling: most happens early.

    >>> snapshot_steps(TrainConfig(steps=20, snapshots_per_octave=2))
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 20]
    """
    per_octave, kept = config.snapshots_per_octave, set[int]()
    octave = 1
    while octave <= config.steps:
        kept |= {octave + octave * i // per_octave for i in range(per_octave)}
        octave *= 2
    wanted = range(config.snapshots_from, config.steps + 1)
    return sorted({0, config.steps} | {step for step in kept if step in wanted})
