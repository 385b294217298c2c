"""What a model that goes on with a text answers, beside what is true."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

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
