"""Learning byte-pair encoding: the most frequent neighbours get a token of their own.

Training (Sennrich, Haddow and Birch 2016) counts every pair of neighbouring pieces in a text, joins
the most frequent one everywhere, and repeats: "t h e" becomes "t he", then "the". Here the pieces
are bytes at first (Radford et al. 2019), so the 256 single bytes are the vocabulary to begin with.

Merges stay inside words, and a word is counted once with its frequency. Each merge then touches
only the words that hold its pair, which makes a megabyte of text a matter of a second.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tfs.tokenizers.bytelevel import GPT2_PATTERN, split_words

N_BYTES = 256
MAX_TOKEN_BYTES = 128  # as long as GPT-2's longest token


@dataclass(frozen=True)
class Merge:
    """One lesson of the training: `left` and `right` stood side by side `count` times.

    rank is the id of the new token `merged`: 256 for the first merge, then 257, and so on.
    """

    rank: int
    left: bytes
    right: bytes
    merged: bytes
    count: int


def train_bpe(text: str, vocab_size: int, pattern: str = GPT2_PATTERN) -> Iterator[Merge]:
    """Yields vocab_size - 256 merges, most frequent pair first; between equals, in byte order.

    Stops earlier where no pair occurs twice any more. No token grows beyond 128 bytes. The counts
    never increase from one merge to the next. Raises ValueError for a vocab_size below 256.
    """
    if vocab_size < N_BYTES:
        raise ValueError(
            f"vocab_size must be at least {N_BYTES}, one token for each byte, not {vocab_size}."
        )
    corpus = _Corpus(text, pattern)
    for rank in range(N_BYTES, vocab_size):
        found = corpus.pop_most_frequent()
        if found is None:
            return
        (left, right), count = found
        corpus.merge(left, right)
        yield Merge(rank, left, right, left + right, count)


class _Corpus:
    """The distinct words of a text, each as its pieces, with every neighbouring pair counted.

    The queue holds (-count, pair). A count only falls once its pair is there, so the head is either
    right or too optimistic; then it goes back with its true count.
    """

    def __init__(self, text: str, pattern: str) -> None:
        words = Counter(split_words(text, pattern))
        self.word_counts = list(words.values())
        self.pieces = [[bytes([byte]) for byte in word.encode()] for word in words]
        self.pair_counts: Counter[tuple[bytes, bytes]] = Counter()
        self.words_with: dict[tuple[bytes, bytes], set[int]] = defaultdict(set)
        for word in range(len(self.pieces)):
            self._count(word)
        self.queue: list[tuple[int, tuple[bytes, bytes]]] = []
        for pair in self.pair_counts:
            self._push(pair)

    def pop_most_frequent(self) -> tuple[tuple[bytes, bytes], int] | None:
        """The most frequent pair and its count; None where none occurs twice."""
        while self.queue:
            negative_count, pair = heapq.heappop(self.queue)
            if -negative_count == self.pair_counts[pair]:
                return pair, -negative_count
            self._push(pair)
        return None

    def merge(self, left: bytes, right: bytes) -> None:
        """Joins the pair in every word that has it, from left to right, and counts anew there."""
        new_pairs: set[tuple[bytes, bytes]] = set()
        for word in self.words_with.pop((left, right)):
            self._uncount(word)
            self.pieces[word] = joined(self.pieces[word], left, right)
            self._count(word)
            new_pairs.update(pair for pair in pairwise(self.pieces[word]) if left + right in pair)
        for pair in new_pairs:
            self._push(pair)

    def _count(self, word: int) -> None:
        for pair in pairwise(self.pieces[word]):
            self.pair_counts[pair] += self.word_counts[word]
            self.words_with[pair].add(word)

    def _uncount(self, word: int) -> None:
        for pair in pairwise(self.pieces[word]):
            self.pair_counts[pair] -= self.word_counts[word]

    def _push(self, pair: tuple[bytes, bytes]) -> None:
        count = self.pair_counts[pair]
        if count >= 2 and len(pair[0]) + len(pair[1]) <= MAX_TOKEN_BYTES:
            heapq.heappush(self.queue, (-count, pair))


def joined(pieces: list[bytes], left: bytes, right: bytes) -> list[bytes]:
    """`pieces` with each left, right in a row made one: a a a -> aa a."""
    result = []
    position = 0
    while position < len(pieces):
        if pieces[position : position + 2] == [left, right]:
            result.append(left + right)
            position += 2
        else:
            result.append(pieces[position])
            position += 1
    return result
