"""What the process remembers for everyone: opened checkpoints, and runs of the model on a prompt.

Everything is kept by (fingerprint, tokens, what was asked), so a class that looks at one
example computes it once. What is kept is shared by all sessions and never changed.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import streamlit as st
import torch

import tfs
from tfs.decoding import AttentionStep, Lane, beam_lane, decoding_race, generate_with_attention
from tfs.hooks import ActivationCache
from tfs.interp import (
    ablation_costs,
    head_scores,
    loss_per_position,
    nearest_neighbours,
    pca,
    run_with_mask,
)
from tfs.interp.outliers import group_apart
from tfs.model import kind_of
from tfs.model.architectures import DECODER_ONLY
from tfs.tokenizers import GPT2Tokenizer, gpt2
from tfs.train.branch import TEXT_FILE
from tfs.train.checkpoint import BUNDLED, bundled_names
from tfs.train.run import snapshot_path
from tfs.train.run_library import RUN_NAME, Library
from tfs.train.run_set import RunSets

RUNS = Path(__file__).resolve().parents[2] / "runs"
SECONDS_TO_LOOK_AGAIN = 600


class Opened(NamedTuple):
    """A checkpoint in memory, and a fingerprint of it that caches go by."""

    bundle: tfs.Bundle
    fingerprint: str


def runs_directory() -> Path:
    """Where what is trained here is kept: TFS_RUNS_DIR, or runs/ beside app.py."""
    return Path(os.environ.get("TFS_RUNS_DIR", RUNS))


def directory_of(name: str) -> Path:
    """Where a model of the picker lives: a bundled checkpoint, or a run of this server."""
    return BUNDLED / name if name in bundled_names() else runs_directory() / name


def opened_as(name: str) -> str:
    """What tfs.load is given for a model, in a program: a bundled name, or the path of a run."""
    directory = directory_of(name)
    return repr(name if directory.parent == BUNDLED else str(directory))


def is_run(name: str) -> bool:
    """Whether `name` is a run that can be opened. What is trained here has a name of 16 random
    digits, the only key to it; a terminal may have given a run a name that can be guessed."""
    return (
        bool(RUN_NAME.fullmatch(name)) and (runs_directory() / name / "model.safetensors").is_file()
    )


def open_any(name: str, step: int | None = None) -> Opened:
    """The checkpoint `name` of whatever architecture, read again only if its weights have changed.

    step: as it was after so many updates, one of its bundle's snapshots.
    Raises CheckpointError, in one sentence, if it cannot be opened.
    """
    opened = _open(name, changed_at(directory_of(name) / "model.safetensors"))
    if step is None:
        return opened
    return _open_step(
        opened.bundle, name, step, changed_at(snapshot_path(directory_of(name), step))
    )


@st.cache_data(show_spinner=False)
def bundled_decoders() -> list[str]:
    """The bundled models that the pages which read one text can open."""
    return bundled_names(DECODER_ONLY)


def open_model(name: str, step: int | None = None) -> Opened:
    """A checkpoint that goes on with one text, as `open_any` opens it.

    Raises CheckpointError for another architecture, too.
    """
    opened = open_any(name, step)
    if not isinstance(opened.bundle.model, tfs.DecoderOnly):
        raise tfs.CheckpointError(
            f"{name} holds a model of the kind {kind_of(opened.bundle.model).architecture}, and "
            "these pages read models that go on with one text; choose another one"
        )
    return opened


def changed_at(path: Path) -> int:
    """When a file was written, in nanoseconds; 0 if it is not there."""
    return path.stat().st_mtime_ns if path.is_file() else 0


@st.cache_resource(show_spinner="Opening the model …", max_entries=24)
def _open(name: str, changed: int) -> Opened:
    directory = directory_of(name)
    return Opened(tfs.load(directory), _fingerprint(directory, directory / "model.safetensors"))


@st.cache_resource(show_spinner=False, max_entries=128)
def _open_step(_bundle: tfs.Bundle, name: str, step: int, changed: int) -> Opened:
    directory = directory_of(name)
    path = snapshot_path(directory, step)
    return Opened(replace(_bundle, model=_bundle.at_step(step)), _fingerprint(directory, path))


def _fingerprint(directory: Path, weights: Path) -> str:
    """Of the weights and the config: the same weights do other things under other choices."""
    config = (directory / "config.json").read_bytes()
    return hashlib.sha256(config + weights.read_bytes()).hexdigest()[:16]


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


@st.cache_resource(show_spinner=False, max_entries=64)
def ablation_costs_on_prompt(
    _model: tfs.DecoderOnly, fingerprint: str, tokens: tuple[int, ...]
) -> torch.Tensor:
    """What it costs to do without each head on this prompt, [layer head], in nats per token."""
    return ablation_costs(_model, torch.tensor([tokens]))


@st.cache_resource(show_spinner=False, max_entries=64)
def race_from_prompt(
    _model: tfs.DecoderOnly,
    fingerprint: str,
    tokens: tuple[int, ...],
    max_new_tokens: int,
    *,
    seed: int,
    temperature: float,
    top_k: int,
    top_p: float,
) -> dict[str, Lane]:
    """The five lanes of a decoding race from the end of these tokens."""
    return decoding_race(
        _model,
        torch.tensor([tokens]),
        max_new_tokens,
        seed=seed,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        beam=_beam_from_prompt(_model, fingerprint, tokens, max_new_tokens),
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _beam_from_prompt(
    _model: tfs.DecoderOnly, fingerprint: str, tokens: tuple[int, ...], max_new_tokens: int
) -> Lane:
    """The lane that no dice and no cut changes, so that another seed has four lanes to compute."""
    return beam_lane(_model, torch.tensor([tokens]), max_new_tokens)


@st.cache_resource(show_spinner=False, max_entries=64)
def written_from_prompt(
    _model: tfs.DecoderOnly,
    fingerprint: str,
    tokens: tuple[int, ...],
    max_new_tokens: int,
    *,
    seed: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
) -> list[AttentionStep]:
    """What is written after these tokens until the context is full, with the newest attention."""
    steps = generate_with_attention(
        _model,
        torch.tensor([tokens]),
        max_new_tokens,
        seed=seed,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        when_full="stop",
    )
    return list(steps)


@st.cache_resource(show_spinner=False, ttl=SECONDS_TO_LOOK_AGAIN)
def gpt2_tokenizer() -> GPT2Tokenizer | None:
    """GPT-2's tokenizer if its two files are on this machine: no page waits for a download."""
    if not all(gpt2.files_in_cache()):
        return None
    try:
        return GPT2Tokenizer()
    except OSError:  # the files are damaged, and tiktoken could not fetch them anew
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def projection(
    _matrix: torch.Tensor, fingerprint: str, which: str, rows: tuple[int, ...] | None, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """n principal components of a matrix, or of some of its rows: points, and shares."""
    with torch.inference_mode():
        return pca(_matrix if rows is None else _matrix[list(rows)], n)


@st.cache_resource(show_spinner=False, max_entries=24)
def tokens_apart(_W_E: torch.Tensor, fingerprint: str) -> list[int]:
    """The tokens of a vocabulary whose rows lie far from all others."""
    return group_apart(_W_E)


@st.cache_resource(show_spinner=False, max_entries=64)
def neighbourhood(
    _W_E: torch.Tensor, fingerprint: str, tokens: tuple[int, ...], k: int, with_apart: bool
) -> tuple[int, ...]:
    """These tokens and the k nearest of each, as ids in order; with_apart: also those apart."""
    hidden = set() if with_apart else set(tokens_apart(_W_E, fingerprint))
    found = set(tokens)
    for token in tokens:
        ids = nearest_neighbours(_W_E, token, len(_W_E))[1].tolist()
        found.update([i for i in ids if i not in hidden][:k])
    return tuple(sorted(found))


@st.cache_resource(show_spinner=False, max_entries=64)
def losses_under(
    _model: tfs.DecoderOnly,
    fingerprint: str,
    tokens: tuple[int, ...],
    mask: str,
    setting: int | None,
    _cells: torch.Tensor,
) -> torch.Tensor:
    """The loss of predicting each token but the first under a mask, which is known by its name."""
    ids = torch.tensor([tokens])
    return loss_per_position(run_with_mask(_model, ids, _cells), ids)[0]


@contextmanager
def text_beside(text: str) -> Iterator[Path]:
    """A folder that holds a reader's text where a task looks for it, for a moment."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / TEXT_FILE).write_text(text, encoding="utf-8", newline="")
        yield Path(folder)


def run_library() -> Library:
    """The runs of this server and the trainings that are going on in it."""
    return _library(runs_directory())


def run_sets() -> RunSets:
    """The experiments of this server."""
    return _run_sets(runs_directory())


@st.cache_resource(show_spinner=False)
def _run_sets(root: Path) -> RunSets:
    return RunSets(_library(root))


@st.cache_resource(show_spinner=False)
def _library(root: Path) -> Library:
    return Library(root)
