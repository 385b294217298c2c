"""A run on disk: what a training writes, so that it can be watched, replayed and resumed.

config.json     the model            metrics.jsonl                     one line per step
train.json      how it is trained    snapshots/step_000512.safetensors weights at log-spaced steps
last/           model.safetensors, optim.safetensors, state.json: all that resuming needs
"""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from tfs.model import DecoderOnly
from tfs.train.checkpoint import write_config
from tfs.train.config import TrainConfig
from tfs.train.files import read_json, save_tensors, write_json


class Run:
    """The directory of one training. Files are written whole or not at all."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self.metrics_path = self.directory / "metrics.jsonl"

    def start(self, model: DecoderOnly, config: TrainConfig) -> None:
        """Begin anew. Raises ValueError if another run is here already."""
        if self.metrics_path.exists():
            raise ValueError(
                f"{self.directory} already holds a run; resume it, or choose another directory"
            )
        (self.directory / "snapshots").mkdir(parents=True, exist_ok=True)
        write_config(model.cfg, self.directory)
        write_json(self.directory / "train.json", config.to_dict())

    def log(self, metrics: dict[str, Any]) -> None:
        with self.metrics_path.open("a") as file:
            file.write(json.dumps(metrics) + "\n")

    def save_snapshot(self, model: DecoderOnly, step: int) -> None:
        save_tensors(dict(model.named_parameters()), snapshot_path(self.directory, step))

    def save_last(self, model: DecoderOnly, optimizer_state: dict, step: int) -> None:
        """Weights, moments and step go into a new folder that then takes the old one's place."""
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
        if before and before != new.resolve():
            for file in before.iterdir():
                file.unlink()
            before.rmdir()

    def load_last(self, model: DecoderOnly) -> tuple[int, dict]:
        """Restore the weights; returns the step and the optimiser's tensors.

        Metrics after that step belong to updates that are done again, and are cut off.
        """
        last = self.directory / "last"
        if not (last / "state.json").is_file():
            raise ValueError(f"{self.directory} holds nothing to resume from; start the run anew")
        step = read_json(last / "state.json")["step"]
        try:
            weights, moments = (load_file(last / f"{n}.safetensors") for n in ("model", "optim"))
            model.load_state_dict(weights)
        except (SafetensorError, OSError, RuntimeError) as error:
            raise ValueError(
                f"{last} is damaged or of another model and cannot be resumed; start the run anew "
                f"({str(error).splitlines()[0]})"
            ) from error
        kept = [m for m in read_metrics(self.directory) if m["step"] <= step]
        partial = self.metrics_path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(m) + "\n" for m in kept))
        os.replace(partial, self.metrics_path)
        return step, moments


def snapshot_path(directory: Path, step: int) -> Path:
    return directory / "snapshots" / f"step_{step:06d}.safetensors"


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """The run's log so far; a line that is still being written is left out."""
    path = directory / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]
