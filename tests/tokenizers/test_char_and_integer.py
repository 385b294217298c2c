import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_characters_round_trip(text):
    from tfs.tokenizers import CharTokenizer

    tokenizer = CharTokenizer.train(text)
    assert tokenizer.vocab == sorted(set(text))
    assert tokenizer.d_vocab == len(set(text))
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.str_tokens(text) == list(text) == tokenizer.str_tokens(tokenizer.encode(text))


def test_an_unknown_character_is_named():
    from tfs.tokenizers import CharTokenizer

    tokenizer = CharTokenizer.train("hello world")
    assert tokenizer.encode("") == []
    with pytest.raises(ValueError) as caught:
        tokenizer.encode("hello €")
    sentence = str(caught.value)
    assert "'€' (U+20AC) at position 6" in sentence
    assert "8 that this tokenizer knows (' dehlorw')" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("vocab", [[], ["a", "a"], ["ab"], [""], ["\ud800"]])
def test_bad_vocabularies(vocab):
    from tfs.tokenizers import CharTokenizer

    with pytest.raises(ValueError):
        CharTokenizer(vocab)


def test_a_text_without_characters_trains_nothing():
    from tfs.tokenizers import CharTokenizer

    with pytest.raises(ValueError, match="at least one character"):
        CharTokenizer.train("")


@settings(deadline=None)
@given(ids=st.lists(st.integers(0, 99)))
def test_integers_round_trip(ids):
    from tfs.tokenizers import IntegerTokenizer

    tokenizer = IntegerTokenizer(100)
    text = " ".join(map(str, ids))
    assert tokenizer.encode(text) == ids
    assert tokenizer.decode(ids) == text
    assert tokenizer.str_tokens(ids) == tokenizer.str_tokens(text) == text.split()


def test_integers_are_read_generously_and_written_plainly():
    from tfs.tokenizers import IntegerTokenizer

    tokenizer = IntegerTokenizer(100)
    assert tokenizer.encode(" 12,7\n 099 ,, 00 ") == [12, 7, 99, 0]
    assert tokenizer.decode(tokenizer.encode("12,7 \t099")) == "12 7 99"


@pytest.mark.parametrize("word", ["100", "-1", "+1", "1.5", "cat", "1_0", "٣", "²", "9" * 5000])
def test_words_that_are_no_token(word):
    from tfs.tokenizers import IntegerTokenizer

    with pytest.raises(ValueError, match="whole numbers from 0 to 99") as caught:
        IntegerTokenizer(100).encode(f"12 {word}")
    assert repr(word)[:6] in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("d_vocab", [0, -5])
def test_an_empty_range_is_refused(d_vocab):
    from tfs.tokenizers import IntegerTokenizer

    with pytest.raises(ValueError, match="d_vocab"):
        IntegerTokenizer(d_vocab)


@pytest.mark.parametrize("bad", [-1, 26, 10**30, 1.5, "a"])
def test_ids_outside_the_vocabulary(bad):
    from tfs.tokenizers import CharTokenizer, IntegerTokenizer

    for tokenizer in (CharTokenizer.train("abcdefghijklmnopqrstuvwxyz"), IntegerTokenizer(26)):
        for call in (tokenizer.decode, tokenizer.str_tokens):
            with pytest.raises(ValueError, match="at position 1"):
                call(x for x in [3, bad])


def test_text_is_not_a_list_of_ids():
    from tfs.tokenizers import CharTokenizer, IntegerTokenizer

    for tokenizer in (CharTokenizer.train("0123"), IntegerTokenizer(10)):
        with pytest.raises(ValueError, match="no token id"):
            tokenizer.decode(iter("12"))


def test_they_are_tokenizers():
    from tfs.tokenizers import CharTokenizer, IntegerTokenizer, Tokenizer

    assert isinstance(CharTokenizer(["a"]), Tokenizer)
    assert isinstance(IntegerTokenizer(1), Tokenizer)
    assert not isinstance("text", Tokenizer)
