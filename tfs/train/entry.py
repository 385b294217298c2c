"""What a list shows of a run, and the small rules that its title, owner and size obey."""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from tfs.hooks import HookedModel
from tfs.train.config import TrainConfig
from tfs.train.schedule import snapshot_steps

LONGEST_TITLE = 80


class Entry(NamedTuple):
    """A run as a list shows it.

    state: queued, running, paused, stopped, finished, failed; interrupted, where its process is
    gone; or running elsewhere, where another process trains in its directory.
    """

    name: str
    title: str
    state: str
    step: int
    steps: int
    created: float  # seconds since 1970
    seconds: float  # of training
    bytes: int
    error: str
    owner_hash: str
    parent: tuple[str, int] | None  # the run or checkpoint whose weights it began with, and a step


def owner_hash(owner: str) -> str:
    """What is stored of an owner's key, which is random, so that a plain hash hides it."""
    return hashlib.sha256(owner.encode()).hexdigest()


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory; what goes away meanwhile counts as nothing."""
    size = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                size += os.lstat(os.path.join(folder, name)).st_size
    return size


def bytes_to_come(model: HookedModel, config: TrainConfig) -> int:
    """What a training will write: its snapshots, and last/ twice (new and old), with moments."""
    weights = 4 * sum(parameter.numel() for parameter in model.parameters())
    return weights * (len(snapshot_steps(config)) + 2 * 3)


def checked_title(title: str) -> str:
    """One line that is not too long. Raises ValueError otherwise."""
    title = " ".join(title.split())
    if not 0 < len(title) <= LONGEST_TITLE:
        raise ValueError(f"a title has 1 to {LONGEST_TITLE} characters, not {len(title)}")
    return title
