"""Byte-pair encoding: a word starts as its bytes, and neighbours join as the training taught.

What BPE learns (Sennrich, Haddow and Birch 2016; see bpe_training.py) is an order of merges.
Encoding a word replays them: of all neighbours that have a merge, the one learned earliest joins
first. So frequent words become one token, rare ones a few, and since the single bytes are tokens
too (Radford et al. 2019), nothing is unknown.

`bpe_merges` yields each step of an encoding, for whoever wants to watch; BPETokenizer runs the same
ranks in tiktoken's Rust, and the two give the same ids.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import tiktoken

from tfs.tokenizers.bpe_training import MAX_TOKEN_BYTES, N_BYTES, Merge, train_bpe
from tfs.tokenizers.bytelevel import GPT2_PATTERN, encode_ordinary, show_bytes, split_words
from tfs.tokenizers.ids import checked_ids


def bpe_merges(word: bytes, ranks: Mapping[bytes, int]) -> Iterator[tuple[bytes, ...]]:
    """The encoding of one word, step by step: its single bytes first, its tokens last.

    Each step joins the two neighbours whose joint token has the lowest rank, the leftmost such pair
    where there are several. The number of steps times the length is the cost: words are short.
    """
    pieces = [bytes([byte]) for byte in word]
    yield tuple(pieces)
    while True:
        candidates = [
            (ranks[left + right], position)
            for position, (left, right) in enumerate(pairwise(pieces))
            if left + right in ranks
        ]
        if not candidates:
            return
        _, position = min(candidates)
        pieces[position : position + 2] = [pieces[position] + pieces[position + 1]]
        yield tuple(pieces)


def encode_plainly(text: str, ranks: Mapping[bytes, int], pattern: str = GPT2_PATTERN) -> list[int]:
    """What tiktoken computes, in Python: the last step of every word, as ids."""
    ids: list[int] = []
    for word in split_words(text, pattern):
        *_, tokens = bpe_merges(word.encode(), ranks)
        ids += [ranks[token] for token in tokens]
    return ids


class BPETokenizer:
    """Byte-level BPE from `ranks`: token -> id, where a lower id merges first.

    `pattern` says where words end. `.encoding` is the tiktoken.Encoding that does the work. There
    are no special tokens. Raises ValueError, since tiktoken itself would panic at the first encode,
    unless the 256 single bytes are there and the ids run from 0 upwards without gap or repeat.
    """

    def __init__(self, ranks: Mapping[bytes, int], pattern: str = GPT2_PATTERN) -> None:
        _check_ranks(ranks)
        self.ranks = dict(ranks)
        self.pattern = pattern
        self.d_vocab = len(self.ranks)
        self.tokens = sorted(self.ranks, key=self.ranks.__getitem__)
        self.encoding = tiktoken.Encoding(
            "tfs-bpe", pat_str=pattern, mergeable_ranks=self.ranks, special_tokens={}
        )

    @classmethod
    def train(cls, text: str, vocab_size: int, pattern: str = GPT2_PATTERN) -> "BPETokenizer":
        """Learns from `text`; d_vocab stays below vocab_size where `text` has too few pairs."""
        return cls.from_merges(train_bpe(text, vocab_size, pattern), pattern)

    @classmethod
    def from_merges(cls, merges: Iterable[Merge], pattern: str = GPT2_PATTERN) -> "BPETokenizer":
        """The tokenizer that has learned exactly `merges`; byte b has id b."""
        ranks = {bytes([byte]): byte for byte in range(N_BYTES)}
        ranks.update((merge.merged, merge.rank) for merge in merges)
        return cls(ranks, pattern)

    def encode(self, text: str) -> list[int]:
        """The ids of any text whatever; it has no special tokens."""
        return encode_ordinary(self.encoding, text, self.pattern)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that are not UTF-8 become U+FFFD; ValueError out of range."""
        joined_bytes = b"".join(self.tokens[i] for i in checked_ids(ids, self.d_vocab))
        return joined_bytes.decode("utf-8", errors="replace")

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One string per token; a byte that is only part of a character reads like "<0xE2>"."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        return [show_bytes(self.tokens[token_id]) for token_id in checked_ids(ids, self.d_vocab)]

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for; ValueError out of range."""
        return self.tokens[checked_ids([token_id], self.d_vocab)[0]]

    def merges(self) -> list[tuple[bytes, bytes]]:
        """The pair behind each token of several bytes, by rank: the last step but one of its word.

        Raises ValueError for a token that no encoding ever reaches.
        """
        pairs = []
        for token in self.tokens:
            last_two = deque(bpe_merges(token, self.ranks), maxlen=2)
            if last_two[-1] != (token,):
                raise ValueError(f"No merge of two tokens makes the token {token!r}.")
            if len(token) > 1:
                pairs.append(last_two[0])
        return pairs


def _check_ranks(ranks: Mapping[bytes, int]) -> None:
    missing = [byte for byte in range(N_BYTES) if bytes([byte]) not in ranks]
    if missing:
        raise ValueError(
            f"BPE ranks must hold all {N_BYTES} single bytes; {len(missing)} are missing, "
            f"0x{missing[0]:02X} first."
        )
    if not all(type(rank) is int for rank in ranks.values()):
        raise ValueError("BPE ranks must be whole numbers.")
    if sorted(ranks.values()) != list(range(len(ranks))):
        raise ValueError(
            f"BPE ranks must be 0 to {len(ranks) - 1}, each once, for {len(ranks)} tokens."
        )
    longest = max(ranks, key=len)
    if len(longest) > MAX_TOKEN_BYTES or b"" in ranks:
        raise ValueError(
            f"A BPE token has 1 to {MAX_TOKEN_BYTES} bytes; these have "
            f"{min(map(len, ranks))} to {len(longest)}."
        )
