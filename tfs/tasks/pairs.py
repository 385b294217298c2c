"""Pairs of texts, for a model that reads one and writes the other."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.tokenizers import MarkedTokenizer

PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
MARKS = (PAD, START, END)


class PairBatch(NamedTuple):
    """Texts to read, texts to write, and what of each is real and counts.

    A target is start, text, end, then padding; a source is text, then padding. A True of the last
    two masks at position p speaks of the prediction *of* the target's token at p, made at p - 1.
    """

    source: Int[Tensor, "batch source_pos"]
    source_mask: Bool[Tensor, "batch source_pos"]  # a real token, not padding
    target: Int[Tensor, "batch target_pos"]
    loss_mask: Bool[Tensor, "batch target_pos"]  # counts in the loss: all after start, with end
    answer_mask: Bool[Tensor, "batch target_pos"]  # counts in the accuracy: what can be known

    first_predicted = 1

    def predictions(self, model: Callable) -> Float[Tensor, "batch predicted_pos d_vocab"]:
        return model(self.source, self.target[:, :-1], self.source_mask)

    @property
    def targets(self) -> Int[Tensor, "batch predicted_pos"]:
        return self.target[:, 1:]

    @property
    def beside(self) -> Int[Tensor, "batch predicted_pos"]:
        return self.target[:, :-1]

    @property
    def counted(self) -> Bool[Tensor, "batch predicted_pos"]:
        return self.loss_mask[:, 1:]

    @property
    def answers(self) -> Bool[Tensor, "batch predicted_pos"]:
        return self.answer_mask[:, 1:]

    @property
    def tokens_read(self) -> int:
        return self.source.numel() + self.target.numel()


@runtime_checkable
class PairTask(Protocol):
    """An endless, seeded source of pairs: the same seed gives the same batch.

    Source and target share one vocabulary (Vaswani et al. 2017, section 5.1).
    """

    name: str
    d_vocab: int
    n_ctx: int  # no source and no target, with its start and end, is longer
    tokenizer: MarkedTokenizer

    def sample(self, n: int, seed: int, split: str = "train") -> PairBatch:
        """n pairs; split is "train" or "held_out", which share no text."""
        ...

    def floor(self) -> float | None:
        """The lowest loss that any model can reach (nats per counted token), if it is known."""
        ...


def pair_batch(pairs: Sequence[tuple[str, str]], tokenizer: MarkedTokenizer) -> PairBatch:
    """Sources and targets as text -> tensors, as wide as the longest of them.

    Raises ValueError for a text that the tokenizer cannot read.
    """
    start, end = tokenizer.mark_id(START), tokenizer.mark_id(END)
    pad = tokenizer.mark_id(PAD)
    source, source_mask = padded([tokenizer.encode(source) for source, _ in pairs], pad)
    rows = [[start, *tokenizer.encode(target), end] for _, target in pairs]
    target, written = padded(rows, pad)
    written[:, 0] = False
    return PairBatch(source, source_mask, target, written, written.clone())


def padded(
    rows: Sequence[Sequence[int]], pad: int
) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
    """Rows of ids as one tensor, and which of it are real; `pad` fills up the shorter rows."""
    lengths = torch.tensor([len(row) for row in rows])
    real = torch.arange(int(lengths.max())) < lengths[:, None]
    tokens = torch.full(real.shape, pad)
    tokens[real] = torch.tensor([token for row in rows for token in row])
    return tokens, real
