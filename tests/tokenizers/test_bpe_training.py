"""The trainer against the definition: count all pairs, join the most frequent, start again."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def merges_by_definition(text: str, vocab_size: int) -> list[tuple[int, bytes, bytes, bytes, int]]:
    from tfs.tokenizers import split_words
    from tfs.tokenizers.bpe_training import joined

    words = [[bytes([byte]) for byte in word.encode()] for word in split_words(text)]
    merges = []
    while 256 + len(merges) < vocab_size:
        counts = Counter(pair for word in words for pair in pairwise(word))
        allowed = {p: n for p, n in counts.items() if n >= 2 and len(b"".join(p)) <= 128}
        if not allowed:
            break
        left, right = min(allowed, key=lambda pair: (-allowed[pair], pair))
        words = [joined(word, left, right) for word in words]
        rank = 256 + len(merges)
        merges.append((rank, left, right, left + right, allowed[left, right]))
    return merges


def merges_of(text: str, vocab_size: int) -> list[tuple[int, bytes, bytes, bytes, int]]:
    from tfs.tokenizers import train_bpe

    return [(m.rank, m.left, m.right, m.merged, m.count) for m in train_bpe(text, vocab_size)]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("aab cç\n")), vocab_size=st.integers(256, 300))
def test_training_follows_the_definition(text, vocab_size):
    assert merges_of(text, vocab_size) == merges_by_definition(text, vocab_size)


def test_training_on_many_scripts_follows_the_definition(corpus):
    assert merges_of(corpus, 360) == merges_by_definition(corpus, 360)


def test_merges_come_in_order_and_never_grow_in_frequency(corpus):
    merges = merges_of(corpus, 400)
    assert [rank for rank, *_ in merges] == list(range(256, 400))
    counts = [count for *_, count in merges]
    assert counts == sorted(counts, reverse=True)
    known = {bytes([byte]) for byte in range(256)}
    for _, left, right, merged, _ in merges:
        assert {left, right} <= known
        assert merged == left + right
        assert merged not in known
        known.add(merged)


def test_the_first_merge_is_the_most_frequent_pair():
    from tfs.tokenizers import Merge, train_bpe

    merges = list(train_bpe("low low low lower", 1000))
    assert merges[0] == Merge(rank=256, left=b"l", right=b"o", merged=b"lo", count=4)
    assert merges[1] == Merge(rank=257, left=b"lo", right=b"w", merged=b"low", count=4)
    assert merges[2].merged == b" low"
    assert merges[2].count == 3
    assert len(merges) == 3


def test_training_can_be_stopped_and_merges_rebuild_the_tokenizer(corpus):
    from itertools import islice

    from tfs.tokenizers import BPETokenizer, train_bpe

    merges = list(islice(train_bpe(corpus, 10_000), 20))
    tokenizer = BPETokenizer.from_merges(merges)
    assert tokenizer.d_vocab == 276
    assert tokenizer.merges() == [(merge.left, merge.right) for merge in merges]
    assert tokenizer.ranks == BPETokenizer.train(corpus, 276).ranks


def test_tokens_have_at_most_128_bytes():
    from tfs.tokenizers import BPETokenizer

    tokenizer = BPETokenizer.train("a" * 5000, 300)
    assert max(map(len, tokenizer.tokens)) == 128
    assert tokenizer.decode(tokenizer.encode("a" * 1001)) == "a" * 1001


@pytest.mark.parametrize("text", ["", "a", "abcdefg"])
def test_a_text_without_repeated_pairs_teaches_nothing(text):
    from tfs.tokenizers import BPETokenizer

    tokenizer = BPETokenizer.train(text, 300)
    assert tokenizer.d_vocab == 256
    assert tokenizer.decode(tokenizer.encode("any text, ünïcode too")) == "any text, ünïcode too"


def test_a_vocabulary_smaller_than_the_bytes_is_refused(corpus):
    from tfs.tokenizers import BPETokenizer

    with pytest.raises(ValueError, match="at least 256"):
        BPETokenizer.train(corpus, 255)
