"""Byte-level BPE as a tokenizer: ours, tiktoken and Hugging Face's library must agree."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

# Characters that Python's Unicode tables know: newer ones may be letters to `regex` and nothing yet
# to tiktoken's tables. Surrogates are halves of characters and not text.
KNOWN_CHARS = st.characters(exclude_categories=("Cs", "Cn"))
PIECES = st.sampled_from(
    ["the", " cat", "'s", "'ve", "  ", "\n", "\r\n", "\t", " \n ", "e\u0301", "שלום", "مرحبا"]
    + ["日本語", "🙂", "👩‍👩‍👧‍👦", "<|endoftext|>", "123", "\x00", "\u00a0", "\u3000", "\u200d"]
)
TEXTS = st.lists(st.one_of(st.text(KNOWN_CHARS, max_size=12), PIECES), max_size=12).map("".join)


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_round_trips(bpe, text):
    assert bpe.decode(bpe.encode(text)) == text


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
@example(text="")
@example(text=" \n\n x  \n")
@example(text="aaaaaaa     aaaa'S 's'ss")
def test_tiktoken_gives_exactly_the_plain_encoders_ids(bpe, text):
    from tfs.tokenizers import encode_plainly

    assert bpe.encode(text) == encode_plainly(text, bpe.ranks)


@settings(deadline=None)
@given(text=TEXTS)
def test_half_surrogates_are_repaired_the_same_way(bpe, text):
    from tfs.tokenizers import encode_plainly

    broken = f"{text}\ud83d-{text}\ude42"
    ids = bpe.encode(broken)
    assert ids == encode_plainly(broken, bpe.ranks)
    assert bpe.decode(ids) == f"{text}\ufffd-{text}\ufffd"


@settings(deadline=None)
@given(text=TEXTS)
def test_the_tokens_bytes_are_the_texts_bytes(bpe, text):
    ids = bpe.encode(text)
    assert b"".join(bpe.token_bytes(i) for i in ids) == text.encode()
    assert len(bpe.str_tokens(text)) == len(ids)
    assert bpe.str_tokens(text) == bpe.str_tokens(ids)
    assert all(0 <= i < bpe.d_vocab for i in ids)


@settings(deadline=None)
@given(word=st.one_of(st.binary(max_size=20), TEXTS.map(str.encode)))
def test_each_step_joins_two_neighbours_of_the_lowest_rank(bpe, word):
    from tfs.tokenizers import bpe_merges

    steps = list(bpe_merges(word, bpe.ranks))
    assert steps[0] == tuple(bytes([byte]) for byte in word)
    for before, after in zip(steps, steps[1:], strict=False):
        ranks = [bpe.ranks.get(a + b) for a, b in zip(before, before[1:], strict=False)]
        lowest = ranks.index(min(rank for rank in ranks if rank is not None))
        pair = before[lowest] + before[lowest + 1]
        assert after == (*before[:lowest], pair, *before[lowest + 2 :])
    assert not any(a + b in bpe.ranks for a, b in zip(steps[-1], steps[-1][1:], strict=False))


def test_a_hand_made_vocabulary_encodes_as_on_paper():
    from tfs.tokenizers import BPETokenizer, bpe_merges

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"he": 256, b"th": 257, b"the": 258}
    assert list(bpe_merges(b"the", ranks)) == [(b"t", b"h", b"e"), (b"t", b"he"), (b"the",)]
    tokenizer = BPETokenizer(ranks)
    assert tokenizer.encode("the thx") == [258, 32, 257, ord("x")]
    assert tokenizer.merges() == [(b"h", b"e"), (b"t", b"h"), (b"t", b"he")]
    assert tokenizer.d_vocab == 259
    assert tokenizer.encoding.n_vocab == 259


def test_words_are_gpt2s():
    from tfs.tokenizers import split_words

    assert split_words("it's two  cats, 42!\n") == (
        ["it", "'s", " two", " ", " cats", ",", " 42", "!", "\n"]
    )
    assert "".join(split_words("a\n \n\tb  ")) == "a\n \n\tb  "


def test_special_tokens_in_a_text_are_ordinary_text(bpe):
    text = "a<|endoftext|>b"
    assert bpe.decode(bpe.encode(text)) == text
    assert "<|endoftext|>" not in bpe.encoding.special_tokens_set


@pytest.mark.parametrize("end", ["", "x", "\n"])
def test_a_million_blanks_do_not_panic(bpe, end):
    text = "a" + " " * 1_000_000 + end
    assert bpe.decode(bpe.encode(text)) == text


def test_long_blanks_are_split_as_short_ones_are(bpe, monkeypatch):
    from tfs.tokenizers import bytelevel

    text = "Once  upon\n\n\n a   time,\t\tthe cat's nap.   \n" * 3
    usual = bpe.encode(text)
    monkeypatch.setattr(bytelevel, "LONG_BLANK", 2)
    assert bpe.encode(text) == usual


def test_parts_of_characters_are_shown_as_bytes(bpe):
    from tfs.tokenizers import show_bytes

    assert show_bytes("é🙂".encode()) == "é🙂"
    assert show_bytes(b" \xe2\x80") == " <0xE2><0x80>"
    assert bpe.str_tokens([0xE2, ord("a")]) == ["<0xE2>", "a"]
    assert bpe.decode([0xE2, ord("a")]) == "\ufffda"


@pytest.mark.parametrize("bad", [-1, 400, 10**30, 1.5, "7", None])
def test_ids_outside_the_vocabulary(bpe, bad):
    assert bpe.d_vocab == 400
    for call in (bpe.decode, bpe.str_tokens):
        with pytest.raises(ValueError, match="at position 1"):
            call(x for x in [5, bad])


BYTES = {bytes([byte]): byte for byte in range(256)}


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ({}, "256 are missing"),
        ({token: rank for token, rank in BYTES.items() if token != b"\x07"}, "0x07"),
        (BYTES | {b"ab": 257}, "each once"),
        (BYTES | {b"ab": 255}, "each once"),
        (BYTES | {b"ab": -1}, "each once"),
        (BYTES | {b"a" * 129: 256}, "128 bytes"),
        (BYTES | {b"": 256}, "128 bytes"),
    ],
)
def test_ranks_that_tiktoken_would_panic_on_are_refused(ranks, message):
    from tfs.tokenizers import BPETokenizer

    with pytest.raises(ValueError, match=message):
        BPETokenizer(ranks)


def test_a_token_that_no_merge_makes_is_named():
    from tfs.tokenizers import BPETokenizer

    with pytest.raises(ValueError, match="b'abc'"):
        BPETokenizer(BYTES | {b"abc": 256}).merges()


def test_it_is_a_tokenizer(bpe):
    from tfs.tokenizers import Tokenizer

    assert isinstance(bpe, Tokenizer)
