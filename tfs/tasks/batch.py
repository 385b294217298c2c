"""What a task hands to training: tokens, and which of them count."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.templates.split import TWO_TO_32, mixed
from tfs.tokenizers.protocol import Tokenizer


class Batch(NamedTuple):
    """Sequences, and two masks over their positions.

    A True at position p speaks of the prediction *of* the token at p, made at p - 1; position 0 is
    never predicted.
    """

    tokens: Int[Tensor, "batch pos"]
    loss_mask: Bool[Tensor, "batch pos"]  # counts in the loss
    answer_mask: Bool[Tensor, "batch pos"]  # counts in the accuracy: what can be known

    first_predicted = 1

    def predictions(self, model: Callable) -> Float[Tensor, "batch predicted_pos d_vocab"]:
        return model(self.tokens)[:, :-1]

    @property
    def targets(self) -> Int[Tensor, "batch predicted_pos"]:
        return self.tokens[:, 1:]

    @property
    def beside(self) -> Int[Tensor, "batch predicted_pos"]:
        return self.tokens[:, :-1]

    @property
    def counted(self) -> Bool[Tensor, "batch predicted_pos"]:
        return self.loss_mask[:, 1:]

    @property
    def answers(self) -> Bool[Tensor, "batch predicted_pos"]:
        return self.answer_mask[:, 1:]

    @property
    def tokens_read(self) -> int:
        return self.tokens.numel()


@runtime_checkable
class Examples(Protocol):
    """What training asks of a batch, whichever kind of model it is for. Each is a NamedTuple of
    tensors [batch ...], so that its rows can be shared out and sent to a device.
    """

    def predictions(self, model: Callable) -> Float[Tensor, "batch predicted_pos d_vocab"]:
        """The model's logits for each of `targets`."""
        ...

    targets: Int[Tensor, "batch predicted_pos"]  # what should have been predicted
    beside: Int[Tensor, "batch predicted_pos"]  # the one token that a table of counts may look at
    counted: Bool[Tensor, "batch predicted_pos"]  # which of it counts in the loss
    answers: Bool[Tensor, "batch predicted_pos"]  # and which in the accuracy
    tokens_read: int
    first_predicted: int  # the position that the first column of these speaks of


@runtime_checkable
class Task(Protocol):
    """An endless, seeded source of sequences: the same seed gives the same batch."""

    name: str
    d_vocab: int
    n_ctx: int
    tokenizer: Tokenizer

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n sequences; split is "train" or "held_out", which share no text."""
        ...

    def floor(self) -> float | None:
        """The lowest loss that any model can reach (nats per counted token), if it is known."""
        ...


def seed_for(*key: int | str) -> int:
    """One 63-bit seed for a key such as (run seed, "train", step): streams that never overlap."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mixed_bits(numbers: Int[Tensor, " n"]) -> Tensor:
    """[n], numbers in [0, 1) that follow no pattern, each a function of one whole number alone."""
    return mixed(numbers).double() / TWO_TO_32


def check_length_and_symbols(length: int, symbols: int) -> None:
    """Raises ValueError where a sequence of random symbols cannot be made."""
    if length < 1:
        raise ValueError(f"length must be at least 1, not {length}")
    if symbols < 2:
        raise ValueError(f"symbols must be at least 2 for them to differ, not {symbols}")
