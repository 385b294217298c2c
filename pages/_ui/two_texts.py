"""A text that is read and one that is written from it: the model, what it wrote, what it saw."""

import textwrap
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

import tfs
from pages._ui import state
from tfs.hooks import ActivationCache
from tfs.interp import log_probs_without_heads, written_log_probs
from tfs.seq2seq import BeamStep, beam_steps, greedy_decode
from tfs.tasks.pairs import END, START

Ids = tuple[int, ...]


class TwoTexts(NamedTuple):
    """What was read and what was written, as ids; `written` ends with the end, where it came."""

    name: str
    bundle: tfs.Bundle
    fingerprint: str
    source: Ids
    written: Ids

    @property
    def model(self) -> tfs.EncoderDecoder:
        return self.bundle.model

    def labels(self, ids: Ids) -> list[str]:
        """A string for each; an id that the model has and its tokenizer has not is #17."""
        tokenizer = self.bundle.tokenizer
        return [tokenizer.str_tokens([i])[0] if i < tokenizer.d_vocab else f"#{i}" for i in ids]

    def plain(self, ids: Ids) -> str:
        """The text, without marks and what the tokenizer does not have."""
        tokenizer = self.bundle.tokenizer
        return tokenizer.plain([i for i in ids if i < tokenizer.d_vocab])

    @property
    def marks(self) -> dict[str, int]:
        tokenizer = self.bundle.tokenizer
        return {"start": tokenizer.mark_id(START), "end": tokenizer.mark_id(END)}

    @property
    def read_back(self) -> Ids:
        """What the decoder has read when it writes each token: the start, then its own tokens."""
        return (self.marks["start"], *self.written[:-1])

    def run(self) -> ActivationCache:
        """Every activation, without the batch axis."""
        return _run(self.model, self.fingerprint, self.source, self.read_back)

    def log_probs(self) -> Tensor:
        """ln p of each written token, [target_pos]."""
        return _log_probs(self.model, self.fingerprint, self.source, self.read_back, self.written)

    def log_probs_without_heads(self) -> Tensor:
        """The same without each head of cross-attention, [layer head target_pos]."""
        ids = self.source, self.read_back, self.written
        return _log_probs_without_heads(self.model, self.fingerprint, *ids)

    def search(self, beams: int, length_penalty: float) -> list[BeamStep]:
        """The steps of a beam search for the same source."""
        marks = self.marks["start"], self.marks["end"]
        return _search(
            self.model, self.fingerprint, self.source, *marks, beams=beams, penalty=length_penalty
        )

    def program(self, lines: str, *functions: Callable) -> str:
        """A program that runs by itself: this model on these texts, then `lines`, which set
        `result`."""
        imports = sorted(f"from {f.__module__} import {f.__name__}" for f in functions)
        return "\n".join(
            [
                "import torch",
                "import tfs",
                *imports,
                "",
                f"model = tfs.load({state.opened_as(self.name)}).model",
                f"source = torch.tensor([{list(self.source)}])",
                f"read_back = torch.tensor([{list(self.read_back)}])",
                f"written = torch.tensor([{list(self.written)}])",
                "_, cache = model.run_with_cache(source, read_back)",
                textwrap.dedent(lines).strip(),
            ]
        )


def two_texts(name: str, opened: state.Opened, source: Ids) -> TwoTexts:
    """What this model reads, and what it writes by the likeliest token each time."""
    two = TwoTexts(name, opened.bundle, opened.fingerprint, source, ())
    return two._replace(written=_written(two.model, two.fingerprint, source, **two.marks))


@st.cache_data(show_spinner=False, max_entries=256)
def _written(
    _model: tfs.EncoderDecoder, fingerprint: str, source: Ids, start: int, end: int
) -> Ids:
    found = greedy_decode(_model, torch.tensor([source]), start=start, end=end)
    return tuple(found[0].tolist())


@st.cache_resource(show_spinner=False, max_entries=64)
def _run(
    _model: tfs.EncoderDecoder, fingerprint: str, source: Ids, read_back: Ids
) -> ActivationCache:
    with torch.inference_mode():
        tokens = torch.tensor([source]), torch.tensor([read_back])
        return _model.run_with_cache(*tokens, remove_batch_dim=True)[1]


@st.cache_resource(show_spinner=False, max_entries=256)
def _log_probs(_model: tfs.EncoderDecoder, fingerprint: str, *ids: Ids) -> Tensor:
    return written_log_probs(_model, *(torch.tensor([each]) for each in ids))[0]


@st.cache_resource(show_spinner=False, max_entries=256)
def _log_probs_without_heads(_model: tfs.EncoderDecoder, fingerprint: str, *ids: Ids) -> Tensor:
    return log_probs_without_heads(_model, *(torch.tensor([each]) for each in ids))


@st.cache_data(show_spinner=False, max_entries=256)
def _search(
    _model: tfs.EncoderDecoder,
    fingerprint: str,
    source: Ids,
    start: int,
    end: int,
    *,
    beams: int,
    penalty: float,
) -> list[BeamStep]:
    steps = beam_steps(
        _model,
        torch.tensor([source]),
        start=start,
        end=end,
        beams=beams,
        length_penalty=penalty,
    )
    return list(steps)
