"""A run on disk: what a training writes, so that it can be watched, replayed and resumed.

config.json     the model            metrics.jsonl                     one line per step
train.json      how it is trained    snapshots/step_000512.safetensors weights at log-spaced steps
lr.json         peaks of the learning rate that were set by hand, [step, peak]; see control.py
last/           model.safetensors, optim.safetensors, state.json: all that resuming needs
alive           the lock of the process that trains here; see alive.py

A process may be killed between any two instructions. Before the first line of metrics there is a
last/ to resume from, and whoever resumes clears away what was left half done.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from tfs.hooks import HookedModel
from tfs.model import kind_of
from tfs.train.checkpoint import SNAPSHOT, write_config
from tfs.train.config import TrainConfig
from tfs.train.files import read_json, save_tensors, write_atomically, write_json

LONGEST_LINE = 2**18  # bytes of metrics, far more than an accuracy at each of 4,096 positions takes


class Run:
    """The directory of one training. Files are written whole or not at all."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self.metrics_path = self.directory / "metrics.jsonl"
        self.saved: int | None = None  # the step that last/ holds

    def start(self, model: HookedModel, config: TrainConfig) -> None:
        """Begin anew. Raises ValueError if another run is here already."""
        if self.metrics_path.exists():
            raise ValueError(
                f"{self.directory} already holds a run; resume it, or choose another directory"
            )
        (self.directory / "snapshots").mkdir(parents=True, exist_ok=True)
        write_config(kind_of(model), self.directory)
        write_json(self.directory / "train.json", config.to_dict())

    def log(self, metrics: dict[str, Any]) -> None:
        with self.metrics_path.open("a") as file:
            file.write(json.dumps(metrics) + "\n")

    def save_snapshot(self, model: HookedModel, step: int) -> None:
        save_tensors(dict(model.named_parameters()), snapshot_path(self.directory, step))

    def save_last(self, model: HookedModel, optimizer_state: dict, step: int) -> None:
        """Weights, moments and step go into a new folder that then takes the old one's place."""
        if step == self.saved:
            return
        old, new = self.directory / "last", self.directory / f"last-{step}"
        new.mkdir(exist_ok=True)
        save_tensors(dict(model.named_parameters()), new / "model.safetensors")
        save_tensors(optimizer_state, new / "optim.safetensors")
        write_json(new / "state.json", {"step": step})
        link = self.directory / "last.new"
        link.unlink(missing_ok=True)
        link.symlink_to(new.name)
        before = old.resolve() if old.is_symlink() else None
        os.replace(link, old)
        self.saved = step
        if before and before != new.resolve():
            shutil.rmtree(before)

    def load_last(self, model: HookedModel) -> tuple[int, dict]:
        """Restore the weights; returns the step and the optimiser's tensors.

        Metrics and snapshots after that step belong to updates that are done again, and are cut
        off; so is all that a killed process left half written.
        """
        last = self.directory / "last"
        if (step := last_step(self.directory)) is None:
            raise ValueError(f"{self.directory} holds nothing to resume from; start the run anew")
        try:
            weights, moments = (load_file(last / f"{n}.safetensors") for n in ("model", "optim"))
            model.load_state_dict(weights)
        except (SafetensorError, OSError, RuntimeError) as error:
            raise ValueError(
                f"{last} is damaged or of another model and cannot be resumed; start the run anew "
                f"({str(error).splitlines()[0]})"
            ) from error
        lines = [json.dumps(m) + "\n" for m in read_metrics(self.directory) if m["step"] <= step]
        write_atomically(self.metrics_path, lambda partial: partial.write_text("".join(lines)))
        self._clear_away(step)
        self.saved = step
        return step, moments

    def _clear_away(self, step: int) -> None:
        current = (self.directory / "last").resolve()
        for folder in self.directory.glob("last-*"):
            if folder.resolve() != current:
                shutil.rmtree(folder)
        (self.directory / "last.new").unlink(missing_ok=True)
        for folder in (self.directory, self.directory / "snapshots", current):
            for partial in folder.glob(".*"):
                if not partial.name.startswith(".run.json"):  # another thread may be writing it
                    partial.unlink()
        for path in (self.directory / "snapshots").iterdir():
            if (match := SNAPSHOT.fullmatch(path.name)) and int(match[1]) > step:
                path.unlink()


def snapshot_path(directory: Path, step: int) -> Path:
    return directory / "snapshots" / f"step_{step:06d}.safetensors"


def last_step(directory: Path) -> int | None:
    """The step that a run can be resumed from; None where there is nothing to resume."""
    try:
        return read_json(directory / "last" / "state.json")["step"]
    except FileNotFoundError:
        return None


def logged_step(directory: Path) -> int:
    """The step of the last whole line of metrics, of which only the end is read."""
    path = directory / "metrics.jsonl"
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_LINE))
        lines = file.read().split(b"\n")[:-1]
    return json.loads(lines[-1])["step"] if lines else 0


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """The run's log so far; a line that is still being written is left out."""
    path = directory / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]
