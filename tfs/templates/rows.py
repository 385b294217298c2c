"""What a model that reads both ways is given: marks, and the tokens of each word between them."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

PAD, CLS, SEP, MASK = "[PAD]", "[CLS]", "[SEP]", "[MASK]"
MARKS = (PAD, CLS, SEP, MASK)


@runtime_checkable
class Marked(Protocol):
    """All that is asked of a tokenizer with marks."""

    def encode(self, text: str) -> list[int]: ...

    def mark_id(self, mark: str) -> int: ...


def sentence_row(words: Sequence[str], tokenizer: Marked) -> tuple[list[int], list[int]]:
    """The ids of [CLS] words [SEP], and at which of them each word begins.

    Each word is read with a blank before it, as within a text (Devlin et al. 2019, section 5.3).
    """
    ids, first = [tokenizer.mark_id(CLS)], []
    for word in words:
        first.append(len(ids))
        ids += tokenizer.encode(f" {word}")
    return [*ids, tokenizer.mark_id(SEP)], first


def pair_row(one: str, other: str, tokenizer: Marked) -> tuple[list[int], list[int]]:
    """The ids of [CLS] one [SEP] other [SEP], and 0 for each of the first text, 1 of the second."""
    sep = tokenizer.mark_id(SEP)
    first = [tokenizer.mark_id(CLS), *tokenizer.encode(one), sep]
    second = [*tokenizer.encode(other), sep]
    return first + second, [0] * len(first) + [1] * len(second)
