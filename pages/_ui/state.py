"""What the process remembers for everyone: opened checkpoints, and runs of the model on a prompt.

Everything is kept by (weights fingerprint, tokens, what was asked), so a class that looks at one
example computes it once. What is kept is shared by all sessions and never changed.
"""

import gc
import hashlib
import os
import re
import secrets
import threading
from pathlib import Path
from typing import NamedTuple

import streamlit as st
import torch

import tfs
from tfs.hooks import ActivationCache
from tfs.interp import head_scores
from tfs.train.checkpoint import BUNDLED, bundled_names
from tfs.train.worker import Job

RUNS = Path(__file__).resolve().parents[2] / "runs"
MOST_FINISHED_JOBS = 64
RUN_NAME = re.compile(r"run-[0-9a-f]{16}")


class Opened(NamedTuple):
    """A checkpoint in memory, and a fingerprint of its weights that caches go by."""

    bundle: tfs.Bundle
    fingerprint: str


@st.cache_resource(show_spinner=False)
def prepare_process() -> None:
    """Once per server: one torch thread per run, and no garbage collector in the imports' memory.

    Streamlit collects garbage after every rerun, which walks everything that torch brought along;
    freezing it makes a rerun in a full class an order of magnitude faster.
    """
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()


def runs_directory() -> Path:
    """Where what is trained here is kept: TFS_RUNS_DIR, or runs/ beside app.py."""
    return Path(os.environ.get("TFS_RUNS_DIR", RUNS))


def directory_of(name: str) -> Path:
    """Where a model of the picker lives: a bundled checkpoint, or a run of this server."""
    return BUNDLED / name if name in bundled_names() else runs_directory() / name


def is_run(name: str) -> bool:
    """Whether `name` is a run that can be opened; its 16 random digits are the only key to it."""
    return (
        bool(RUN_NAME.fullmatch(name)) and (runs_directory() / name / "model.safetensors").is_file()
    )


def new_run_directory() -> Path:
    return runs_directory() / f"run-{secrets.token_hex(8)}"


def open_model(name: str) -> Opened:
    """The checkpoint `name`, read again only if its weights have changed on disk.

    Raises CheckpointError, in one sentence, if it cannot be opened.
    """
    weights = directory_of(name) / "model.safetensors"
    changed = weights.stat().st_mtime_ns if weights.is_file() else 0
    return _open(name, changed)


@st.cache_resource(show_spinner="Opening the model …", max_entries=24)
def _open(name: str, changed: int) -> Opened:
    directory = directory_of(name)
    bundle = tfs.load(directory)
    digest = hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()
    return Opened(bundle, digest[:16])


@st.cache_resource(show_spinner=False, max_entries=64)
def run_on_prompt(
    _model: tfs.DecoderOnly, fingerprint: str, tokens: tuple[int, ...]
) -> tuple[torch.Tensor, ActivationCache]:
    """Logits and every activation of one prompt, without the batch axis: [pos ...]."""
    with torch.inference_mode():
        logits, cache = _model.run_with_cache(torch.tensor([tokens]), remove_batch_dim=True)
    return logits[0], cache


@st.cache_resource(show_spinner=False, max_entries=64)
def head_scores_on_prompt(
    _model: tfs.DecoderOnly, fingerprint: str, tokens: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """What kind of head each one looks like on this prompt, [layer head] per kind."""
    with torch.inference_mode():
        return head_scores(_model, torch.tensor([tokens]))


@st.cache_resource(show_spinner=False)
def jobs() -> dict[str, Job]:
    """Trainings of this server by the name of their run."""
    return {}


def remember_job(name: str, job: Job) -> None:
    """Keep a training at hand; of those that are over, only the newest, the others on disk."""
    known = jobs()
    known[name] = job
    over = [other for other, old in known.items() if old.status().is_over]
    for other in over[:-MOST_FINISHED_JOBS]:
        known.pop(other, None)


@st.cache_resource(show_spinner=False)
def warm_training() -> None:
    """Once per server, in the background: what torch's optimisers import takes a second or two."""

    def warm() -> None:
        import_of_optimisers = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
        import_of_optimisers.zero_grad()
        gc.collect()
        gc.freeze()

    threading.Thread(target=warm, daemon=True).start()
