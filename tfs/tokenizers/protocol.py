"""What every tokenizer can do; whoever does it is one, no base class needed."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Tokenizer(Protocol):
    """Text to ids and back. `d_vocab` counts the tokens; ids run from 0 to d_vocab - 1."""

    d_vocab: int

    def encode(self, text: str) -> list[int]:
        """The ids of `text`; ValueError where the tokenizer has no token for some of it."""
        ...

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; ValueError for an id outside 0 ... d_vocab - 1."""
        ...

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One readable string per token, for the labels of an axis."""
        ...
