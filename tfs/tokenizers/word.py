"""One token per word of a fixed list, for tasks whose tokens have names.

Written text separates words by blanks; decoding writes single spaces, so decode(encode(text)) is
`text` in its normal form.
"""

import reprlib
from collections.abc import Iterable, Sequence

from tfs.tokenizers.ids import checked_ids


class WordTokenizer:
    """Id i stands for the word vocab[i].

    Raises ValueError unless `vocab` is a non-empty list of distinct words without blanks in them.
    """

    def __init__(self, vocab: Sequence[str]) -> None:
        if not vocab:
            raise ValueError("A WordTokenizer needs at least one word, but got none.")
        for entry in vocab:
            if entry.split() != [entry]:
                raise ValueError(
                    f"{reprlib.repr(entry)} is not one word without blanks, as each entry of a "
                    "WordTokenizer's vocabulary must be."
                )
        self.vocab = list(vocab)
        self.id_of = {word: token_id for token_id, word in enumerate(vocab)}
        self.d_vocab = len(vocab)
        if len(self.id_of) != len(vocab):
            raise ValueError(
                f"A WordTokenizer's vocabulary must not repeat a word: {len(vocab)} entries, but "
                f"only {len(self.id_of)} distinct ones."
            )

    def encode(self, text: str) -> list[int]:
        """One id per word; ValueError names the first word that has none."""
        words = text.split()
        unknown = next((word for word in words if word not in self.id_of), None)
        if unknown is not None:
            shown = " ".join(self.vocab[:12]) + (" ..." if self.d_vocab > 12 else "")
            raise ValueError(
                f"{reprlib.repr(unknown)} is not one of the {self.d_vocab} words of this "
                f"vocabulary ({shown}): leave it out, or write one of these."
            )
        return [self.id_of[word] for word in words]

    def decode(self, ids: Iterable[int]) -> str:
        """The words of `ids`, with spaces; ValueError for an id outside the vocabulary."""
        return " ".join(self.str_tokens(list(ids)))

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One word per token."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        return [self.vocab[token_id] for token_id in checked_ids(ids, self.d_vocab)]
