"""Marks before the tokens of another tokenizer."""

import json

import pytest

MARKS = ["<pad>", "<s>", "</s>", "<unk>"]


@pytest.fixture(scope="module")
def words():
    from tfs.tokenizers import MarkedTokenizer, WordTokenizer

    return MarkedTokenizer(WordTokenizer(["the", "dog"]), MARKS, unknown="<unk>")


@pytest.fixture(scope="module")
def characters():
    from tfs.tokenizers import CharTokenizer, MarkedTokenizer

    return MarkedTokenizer(CharTokenizer(list("ab <")), MARKS[:3])


def test_marks_come_first_and_are_read_where_they_are_written(words, characters) -> None:
    assert words.d_vocab == 6
    assert words.encode("<s> the dog </s> <pad>") == [1, 4, 5, 2, 0]
    assert words.decode([1, 4, 5, 2, 0]) == "<s> the dog </s> <pad>"
    assert words.str_tokens("<s> dog") == words.str_tokens([1, 5]) == ["<s>", "dog"]
    assert characters.encode("<s>a b</s>") == [1, 3, 5, 4, 2]
    assert characters.decode([1, 3, 5, 4, 2]) == "<s>a b</s>"
    assert characters.encode("<a") == [6, 3]


def test_plain_text_has_no_marks(words, characters) -> None:
    assert words.plain([1, 4, 3, 5, 2, 0]) == "the dog"
    assert characters.plain([1, 3, 5, 4, 2, 0]) == "a b"
    assert characters.plain([1, 2]) == ""


def test_unknown_words_become_a_mark_where_there_is_one(words, characters) -> None:
    from tfs.tokenizers import CharTokenizer, MarkedTokenizer

    assert words.encode("the quick dog") == [4, 3, 5]
    with pytest.raises(ValueError, match="'c'"):
        characters.encode("abc")
    forgiving = MarkedTokenizer(CharTokenizer(list("ab")), MARKS, unknown="<unk>")
    assert forgiving.encode("abc") == [4, 5, 3]


def test_byte_pairs_can_be_marked_too(bpe, corpus) -> None:
    from tfs.tokenizers import MarkedTokenizer, Tokenizer

    marked = MarkedTokenizer(bpe, ["[CLS]", "[SEP]"])
    assert isinstance(marked, Tokenizer)
    assert marked.encode("[CLS]" + corpus) == [0, *(2 + i for i in bpe.encode(corpus))]
    assert marked.plain(marked.encode("[CLS] Él ñandú[SEP]")) == " Él ñandú"


def test_ids_out_of_range_and_unknown_marks(words) -> None:
    with pytest.raises(ValueError, match="Token id 6 at position 1"):
        words.decode([0, 6])
    with pytest.raises(ValueError, match="'<cls>' is not one of the marks <pad> <s> </s> <unk>"):
        words.mark_id("<cls>")
    assert words.mark_id("</s>") == 2


@pytest.mark.parametrize(
    ("marks", "unknown", "message"),
    [
        ([], None, "distinct words"),
        (["a", "a"], None, "distinct words"),
        (["a b"], None, "distinct words"),
        (["dog"], None, "'dog' is a token of the vocabulary already"),
        (["<s>"], "<unk>", "unknown must be one of the marks"),
    ],
)
def test_marks_that_cannot_be(marks, unknown, message) -> None:
    from tfs.tokenizers import MarkedTokenizer, WordTokenizer

    with pytest.raises(ValueError, match=message):
        MarkedTokenizer(WordTokenizer(["dog"]), marks, unknown)


def test_byte_pairs_know_everything(bpe) -> None:
    from tfs.tokenizers import MarkedTokenizer

    with pytest.raises(ValueError, match="unknown must be one of the marks"):
        MarkedTokenizer(bpe, ["<unk>"], "<unk>")


def test_each_kind_survives_the_disk(words, characters, bpe, tmp_path) -> None:
    from tfs.tokenizers import MarkedTokenizer, load_tokenizer, save_tokenizer

    path = tmp_path / "tokenizer.json"
    for tokenizer in (words, characters, MarkedTokenizer(bpe, ["[CLS]"])):
        save_tokenizer(tokenizer, path)
        loaded = load_tokenizer(path)
        assert (loaded.marks, loaded.unknown) == (tokenizer.marks, tokenizer.unknown)
        assert type(loaded.inner) is type(tokenizer.inner)
        text = f"{tokenizer.marks[0]} ab" if tokenizer is not words else "<s> the cat"
        assert loaded.encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"marks": "<s>"}, "marks are not a list"),
        ({"marks": ["<s>", 1]}, "marks are not a list"),
        ({"unknown": 3}, "unknown is not a word"),
        ({"unknown": "<mask>"}, "one of the marks"),
        ({"inner": None}, "not one without marks"),
        ({"inner": {"type": "marked"}}, "not one without marks"),
        ({"inner": {"type": "word", "format_version": 1}}, "other fields"),
        ({"more": 1}, "other fields"),
    ],
)
def test_damaged_files(words, tmp_path, damage, message) -> None:
    from tfs.tokenizers import load_tokenizer, save_tokenizer

    path = tmp_path / "tokenizer.json"
    save_tokenizer(words, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(ValueError, match=message):
        load_tokenizer(path)
