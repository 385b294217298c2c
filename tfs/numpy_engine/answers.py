"""What a model answers, beside what is true: of a text that goes on, or of one with labels."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from tfs.numpy_engine.data import Batch
from tfs.numpy_engine.labelled import said
from tfs.numpy_engine.losses import IGNORED
from tfs.numpy_engine.module import Module
from tfs.numpy_engine.tensor import Tensor, no_grad

Model = Callable[[Tensor], Tensor]  # tokens [batch pos] -> logits [batch pos d_vocab]


class Right(NamedTuple):
    """Shares of 1: of the answers that are right, and of sequences in which all of them are."""

    accuracy: float
    exact: float


def guesses(model: Model, tokens: Tensor) -> Int[np.ndarray, "batch guess"]:
    """The likeliest token at every position but the first, each from the true ones before it."""
    with no_grad():
        return model(tokens[:, :-1]).data.argmax(-1)


def right_answers(model: Model, tokens: Tensor, first: int = 1) -> Right:
    """first: the position of the first answer; those before it are given. tokens: [batch pos]."""
    right = guesses(model, tokens)[:, first - 1 :] == tokens.data[:, first:]
    return Right(float(right.mean()), float(right.all(-1).mean()))


def right_labels(model: Module, batch: Batch) -> Right:
    """Of a batch as in labelled.py; exact: of the texts in which every label is right."""
    true = batch[3].data
    asked = true != IGNORED
    right = said(model, batch) == true
    exact = (right | ~asked).reshape(len(true), -1).all(-1)
    return Right(float(right[asked].mean()), float(exact.mean()))


def first_text(batch: Batch) -> Batch:
    """What a model is called with to read the first text of a batch alone, without padding."""
    if len(batch) == 1:
        return (batch[0][:1],)
    length = int(batch[2].data[0].sum())
    return tuple(part[:1, :length] for part in batch[:3])
