"""One token per character: the tokenizer that needs no explanation.

The vocabulary is small (65 characters for Shakespeare), so the embedding is small too, and a model
must learn to spell before it can say anything. The price is length: a word of five letters takes
five positions of the context. And a character that the training text never had has no id at all;
byte-level BPE (see bpe.py) is the way out of that.
"""

import reprlib
from collections.abc import Iterable

from tfs.tokenizers.ids import checked_ids


class CharTokenizer:
    """Id i stands for the character vocab[i].

    Raises ValueError unless `vocab` is a non-empty list of distinct single characters.
    """

    def __init__(self, vocab: list[str]) -> None:
        if not vocab:
            raise ValueError("A CharTokenizer needs at least one character, but got none.")
        for entry in vocab:
            if not isinstance(entry, str) or len(entry) != 1 or "\ud800" <= entry <= "\udfff":
                raise ValueError(
                    f"{reprlib.repr(entry)} is not one whole character, as each entry of a "
                    "CharTokenizer's vocabulary must be."
                )
        self.vocab = list(vocab)
        self.id_of = {char: token_id for token_id, char in enumerate(vocab)}
        self.d_vocab = len(vocab)
        if len(self.id_of) != len(vocab):
            raise ValueError(
                f"A CharTokenizer's vocabulary must not repeat a character: {len(vocab)} entries, "
                f"but only {len(self.id_of)} distinct ones."
            )

    @classmethod
    def train(cls, text: str) -> "CharTokenizer":
        """The distinct characters of `text`, in code-point order; ValueError where it has none."""
        return cls(sorted(set(text)))

    def encode(self, text: str) -> list[int]:
        """One id per character; ValueError names the first character that has none."""
        try:
            return [self.id_of[char] for char in text]
        except KeyError as missing:
            raise ValueError(self._unknown(missing.args[0], text)) from None

    def decode(self, ids: Iterable[int]) -> str:
        """The characters of `ids`, joined; ValueError for an id outside the vocabulary."""
        return "".join(self.vocab[token_id] for token_id in checked_ids(ids, self.d_vocab))

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One character per token."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        return [self.vocab[token_id] for token_id in checked_ids(ids, self.d_vocab)]

    def _unknown(self, char: str, text: str) -> str:
        known = "".join(self.vocab)
        shown = known if len(known) <= 80 else known[:80] + "..."
        return (
            f"The character {char!r} (U+{ord(char):04X}) at position {text.index(char)} is not one "
            f"of the {self.d_vocab} that this tokenizer knows ({shown!r}): leave it out, "
            "or train a CharTokenizer on a text that has it."
        )
