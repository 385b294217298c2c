"""Texts with labels, for a model that reads both ways and says something of what it read."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.tokenizers import MarkedTokenizer


class LabelledBatch(NamedTuple):
    """Texts, each [CLS] text [SEP] or [CLS] text [SEP] text [SEP] and padding, and their labels.

    The labels and the two last masks speak of the very position at which they stand (not of the
    next token). A label for the whole text stands at position 0, that of [CLS], alone.
    """

    tokens: Int[Tensor, "batch pos"]
    token_mask: Bool[Tensor, "batch pos"]  # a real token, not padding
    segments: Int[Tensor, "batch pos"]  # token_type_ids: 1 in the second text and its [SEP], else 0
    labels: Int[Tensor, "batch pos"]
    loss_mask: Bool[Tensor, "batch pos"]  # where a label is asked for
    answer_mask: Bool[Tensor, "batch pos"]  # counts in the accuracy: what can be known

    first_predicted = 0

    def predictions(self, model: Callable) -> Float[Tensor, "batch pos label"]:
        """One label for the whole text is laid at position 0; nothing is said of the others."""
        logits = model(self.tokens, self.segments, self.token_mask)
        if logits.ndim == 3:
            return logits
        return F.pad(logits[:, None], (0, 0, 0, self.tokens.shape[1] - 1))

    @property
    def targets(self) -> Int[Tensor, "batch pos"]:
        return self.labels

    @property
    def beside(self) -> Int[Tensor, "batch pos"]:
        return self.tokens

    @property
    def counted(self) -> Bool[Tensor, "batch pos"]:
        return self.loss_mask

    @property
    def answers(self) -> Bool[Tensor, "batch pos"]:
        return self.answer_mask

    @property
    def tokens_read(self) -> int:
        return self.tokens.numel()


@runtime_checkable
class LabelledTask(Protocol):
    """An endless, seeded source of labelled texts: the same seed gives the same batch."""

    name: str
    d_vocab: int
    n_ctx: int  # no text with its marks is longer
    tokenizer: MarkedTokenizer
    labels: tuple[str, ...]  # their names: label i is labels[i]

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n texts; split is "train" or "held_out", which share no text."""
        ...

    def floor(self) -> float | None:
        """The lowest loss that any model can reach (nats per asked label), if it is known."""
        ...
