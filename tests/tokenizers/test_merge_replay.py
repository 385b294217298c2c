"""An encoding in slow motion, and several tokenizers on one text."""

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = "the cats' nap: naïve 日本 <|endoftext|>\n\n  the the"


@pytest.fixture(scope="module")
def small_gpt2(bpe):
    """GPT2Tokenizer without its files: as in GPT-2, the id of a byte is not the byte."""
    from tfs.tokenizers import GPT2_PATTERN, GPT2Tokenizer
    from tfs.tokenizers import gpt2 as module

    ranks = {token: i ^ 0x55 if i < 256 else i for token, i in bpe.ranks.items()}
    small = tiktoken.Encoding(
        "small", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 400}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_gpt2_encoding", lambda: small)
        return GPT2Tokenizer()


def check_replay(text, tokenizer):
    """What every replay must be, by nothing but the ranks and the ids of the tokenizer itself."""
    from tfs.tokenizers import pieces_after, replay

    state = [list(word) for word in pieces_after(text, tokenizer)]
    assert all(len(piece) == 1 for word in state for piece in word)
    assert b"".join(piece for word in state for piece in word) == text.encode()
    latest = 0
    for step in replay(text, tokenizer):
        assert step.word >= latest
        latest, pieces = step.word, state[step.word]
        assert list(step.before) == pieces
        ranks = [tokenizer.ranks.get(a + b) for a, b in zip(pieces, pieces[1:], strict=False)]
        assert step.rank == min(rank for rank in ranks if rank is not None)
        assert step.position == ranks.index(step.rank)
        assert step.pair == tuple(pieces[step.position : step.position + 2])
        assert tokenizer.token_bytes(step.rank) == step.merged == b"".join(step.pair)
        pieces[step.position : step.position + 2] = [step.merged]
        assert list(step.after) == pieces
    whole = pieces_after(text, tokenizer, replay(text, tokenizer))
    assert whole == [tuple(word) for word in state]
    ids = [tokenizer.ranks[piece] for word in whole for piece in word]
    assert ids == tokenizer.encode(text)


@pytest.mark.parametrize("text", [TEXT, "", "x", "aaaaaaa"])
def test_a_replay_ends_where_encoding_does(bpe, small_gpt2, text):
    check_replay(text, bpe)
    check_replay(text, small_gpt2)


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=40))
def test_any_text_is_replayed(bpe, text):
    check_replay(text, bpe)


def test_gpt2s_own_merges(gpt2):
    from tfs.tokenizers import replay

    check_replay(TEXT, gpt2)
    steps = list(replay("a hello", gpt2))
    assert {step.word for step in steps} == {1}  # "a" is one byte and has nothing to join
    assert steps[-1].merged == b" hello"
    assert steps[-1].rank == gpt2.encode(" hello")[0] == 23748


def test_a_hand_made_vocabulary_replays_as_on_paper():
    from tfs.tokenizers import BPETokenizer, pieces_after, replay

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"he": 256, b"th": 257, b"the": 258}
    tokenizer = BPETokenizer(ranks)
    steps = list(replay("x the", tokenizer))
    assert [tuple(step) for step in steps] == [
        (1, (b" ", b"t", b"h", b"e"), 2, 256),
        (1, (b" ", b"t", b"he"), 1, 258),
    ]
    assert steps[1].pair == (b"t", b"he") and steps[1].after == (b" ", b"the")
    assert pieces_after("x the", tokenizer, steps[:1]) == [(b"x",), (b" ", b"t", b"he")]


def test_counts_are_those_of_the_text(bpe, small_gpt2):
    from tfs.tokenizers import CharTokenizer, compare

    text = "naïve 日本"
    chars = CharTokenizer.train(text)
    counts = compare(text, {"chars": chars, "ours": bpe, "small": small_gpt2})
    assert list(counts) == ["chars", "ours", "small"]
    assert counts["chars"] == (8, 8, 13, 1.0, list(text))
    for name, tokenizer in (("ours", bpe), ("small", small_gpt2)):
        n = len(tokenizer.encode(text))
        assert counts[name] == (n, 8, 13, 8 / n, tokenizer.str_tokens(text))


def test_a_tokenizer_that_cannot_read_a_text_says_so(bpe):
    from tfs.tokenizers import CharTokenizer, IntegerTokenizer, compare

    tokenizers = {"ab": CharTokenizer(["a", "b"]), "ours": bpe, "numbers": IntegerTokenizer(9)}
    counts = compare("abc", tokenizers)
    assert "'c'" in counts["ab"] and "\n" not in counts["ab"]
    assert "'abc' is not a token" in counts["numbers"]
    assert counts["ours"].tokens == len(bpe.encode("abc"))


def test_an_empty_text_and_half_a_character(bpe):
    from tfs.tokenizers import compare

    assert compare("", {"ours": bpe}) == {"ours": (0, 0, 0, 0.0, [])}
    assert compare("\ud83d", {"ours": bpe})["ours"].bytes == 3
