"""A token per word of a fixed list."""

import pytest


@pytest.fixture(scope="module")
def tokenizer():
    from tfs.tokenizers import WordTokenizer

    return WordTokenizer(["Mary", "gave", "=", "("])


def test_words_and_ids(tokenizer) -> None:
    assert tokenizer.d_vocab == 4
    assert tokenizer.encode("  gave Mary\n( =") == [1, 0, 3, 2]
    assert tokenizer.decode([1, 0, 3, 2]) == "gave Mary ( ="
    assert tokenizer.str_tokens("= Mary") == tokenizer.str_tokens([2, 0]) == ["=", "Mary"]
    assert tokenizer.encode("") == []


def test_an_unknown_word_is_named_with_what_is_known(tokenizer) -> None:
    with pytest.raises(ValueError, match=r"'mary' is not one of the 4 words .*\(Mary gave = \(\)"):
        tokenizer.encode("gave mary")
    with pytest.raises(ValueError):
        tokenizer.decode([4])


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        ([], "at least one word"),
        (["a", "b c"], "'b c' is not one word"),
        (["a", ""], "'' is not one word"),
        (["a", "b", "a"], "3 entries, but only 2 distinct"),
    ],
)
def test_vocabularies_that_cannot_be(vocab, message) -> None:
    from tfs.tokenizers import WordTokenizer

    with pytest.raises(ValueError, match=message):
        WordTokenizer(vocab)


def test_it_survives_the_disk(tokenizer, tmp_path) -> None:
    import json

    from tfs.tokenizers import load_tokenizer, save_tokenizer

    path = tmp_path / "tokenizer.json"
    save_tokenizer(tokenizer, path)
    assert load_tokenizer(path).vocab == tokenizer.vocab
    written = json.loads(path.read_text())
    for vocab in ("Mary", ["Mary", 3]):
        path.write_text(json.dumps(written | {"vocab": vocab}))
        with pytest.raises(ValueError, match="not a list of words"):
            load_tokenizer(path)
