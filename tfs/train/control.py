"""What may be asked of a training while it goes on, from any thread.

A learning rate that was changed by hand is part of the run: lr.json lists [step, peak], written
before the first update that has it, so that a run that is resumed repeats the change.
"""

import dataclasses
import math
import threading
from collections.abc import Callable
from pathlib import Path

from tfs.train.config import TrainConfig
from tfs.train.files import read_json, write_json

LR_FILE = "lr.json"


class Cancelled(Exception):
    """Ends a training in the middle of a long measurement; its last save stays as it was."""


class Control:
    """Given to `train`, which asks it before each update.

    is_held: whoever made it holds the directory's lock already (see alive.py).
    """

    def __init__(self, is_held: bool = False) -> None:
        self.is_held = is_held
        self.save: Callable[[int], None] = lambda step: None  # last/, after the step just reported
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._peaks: dict[int, float] = {}
        self._path: Path | None = None

    def set_lr(self, peak: float) -> None:
        """From the next update on the schedule has this peak. Raises ValueError for none."""
        if not isinstance(peak, int | float) or not math.isfinite(peak) or peak <= 0:
            raise ValueError(f"the learning rate must be a finite number above 0, not {peak!r}")
        with self._lock:
            self._asked = float(peak)

    def read_changes(self, directory: Path) -> None:
        """Repeat the changes that the run in `directory` had, and keep those to come there."""
        self._path = directory / LR_FILE
        self._peaks = dict(read_json(self._path)) if self._path.is_file() else {}

    def config_at(self, step: int, config: TrainConfig) -> TrainConfig:
        """`config` with the peak of update `step`. A change that is asked for replaces later ones,
        which belong to updates that are now done again in another way."""
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is not None:
            self._peaks = {at: peak for at, peak in self._peaks.items() if at < step}
            self._peaks[step] = asked
            if self._path is not None:
                write_json(self._path, sorted(self._peaks.items()))
        changes = [at for at in self._peaks if at <= step]
        return dataclasses.replace(config, lr=self._peaks[max(changes)]) if changes else config

    @property
    def was_changed(self) -> bool:
        """Whether any update so far, or one to come, has another peak than the config's."""
        return bool(self._peaks)

    def go_on_or_raise(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled
