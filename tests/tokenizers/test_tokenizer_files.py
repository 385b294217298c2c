"""tokenizer.json: what is written reads back, and Hugging Face reads it; what comes is checked."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

KNOWN_CHARS = st.characters(exclude_categories=("Cs", "Cn"))


@pytest.fixture(scope="module")
def bpe_file(bpe, tmp_path_factory):
    from tfs.tokenizers import save_tokenizer

    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    save_tokenizer(bpe, path)
    return path


@pytest.fixture(scope="module")
def hugging_face(bpe_file):
    return pytest.importorskip("tokenizers").Tokenizer.from_file(str(bpe_file))


def test_bpe_reads_back(bpe, bpe_file, corpus):
    from tfs.tokenizers import BPETokenizer, load_tokenizer

    loaded = load_tokenizer(bpe_file)
    assert isinstance(loaded, BPETokenizer)
    assert loaded.ranks == bpe.ranks
    assert loaded.encode(corpus) == bpe.encode(corpus)
    assert "Ġthe" in json.loads(bpe_file.read_text("utf-8"))["model"]["vocab"]


@settings(max_examples=200, deadline=None)
@given(text=st.text(KNOWN_CHARS))
def test_hugging_face_gives_the_same_ids(bpe, hugging_face, text):
    assert hugging_face.encode(text).ids == bpe.encode(text)


def test_hugging_face_reads_a_whole_text_alike(bpe, hugging_face, corpus):
    ids = bpe.encode(corpus)
    assert hugging_face.encode(corpus).ids == ids
    assert hugging_face.decode(ids) == corpus
    assert hugging_face.get_vocab_size() == bpe.d_vocab


def test_a_file_that_hugging_face_saved_again_reads_back(bpe, hugging_face, tmp_path):
    from tfs.tokenizers import load_tokenizer

    hugging_face.save(str(tmp_path / "again.json"))
    assert load_tokenizer(tmp_path / "again.json").ranks == bpe.ranks


def test_byte_level_characters_cover_every_byte():
    from tfs.tokenizers.huggingface import CHAR_OF_BYTE, printable, unprintable

    assert len(set(CHAR_OF_BYTE.values())) == 256
    assert all(char.isprintable() and not char.isspace() for char in CHAR_OF_BYTE.values())
    assert printable(b" the\n") == "ĠtheĊ"
    assert unprintable(printable(bytes(range(256)))) == bytes(range(256))


def test_char_and_integer_read_back(tmp_path):
    from tfs.tokenizers import CharTokenizer, IntegerTokenizer, load_tokenizer, save_tokenizer

    path = tmp_path / "tokenizer.json"
    save_tokenizer(CharTokenizer.train('né\n"\\🙂\x00'), path)
    assert load_tokenizer(path).vocab == sorted('né\n"\\🙂\x00')
    save_tokenizer(IntegerTokenizer(100), str(path))
    assert load_tokenizer(str(path)).d_vocab == 100
    assert json.loads(path.read_text()) == {"type": "integer", "format_version": 1, "d_vocab": 100}
    assert [file.name for file in tmp_path.iterdir()] == ["tokenizer.json"]


def test_gpt2_reads_back(gpt2, gpt2_cache, tmp_path, monkeypatch):
    from tfs.tokenizers import GPT2Tokenizer, load_tokenizer, save_tokenizer

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(gpt2_cache))
    save_tokenizer(gpt2, tmp_path / "tokenizer.json")
    assert isinstance(load_tokenizer(tmp_path / "tokenizer.json"), GPT2Tokenizer)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    from tfs.tokenizers import IntegerTokenizer, files, save_tokenizer

    path = tmp_path / "tokenizer.json"
    save_tokenizer(IntegerTokenizer(7), path)

    def full_disk(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_tokenizer(IntegerTokenizer(8), path)
    assert files.load_tokenizer(path).d_vocab == 7
    assert [file.name for file in tmp_path.iterdir()] == ["tokenizer.json"]


def test_another_split_pattern_is_not_written(corpus, tmp_path):
    from tfs.tokenizers import BPETokenizer, save_tokenizer

    with pytest.raises(ValueError, match="split pattern"):
        save_tokenizer(BPETokenizer.train(corpus, 300, r"[\s\S]{1,50}"), tmp_path / "t.json")
    assert not list(tmp_path.iterdir())


def refused(path, content: bytes, match: str | None = None) -> None:
    from tfs.tokenizers import load_tokenizer

    path.write_bytes(content)
    with pytest.raises(ValueError, match=match) as caught:
        load_tokenizer(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 250


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"hello",
        b"[]",
        b"null",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"{}",
        b'{"type": "pickle", "format_version": 1}',
        b'{"type": ["char"], "format_version": 1, "vocab": ["a"]}',
        b'{"type": "char", "format_version": 2, "vocab": ["a"]}',
        b'{"type": "char", "vocab": ["a"]}',
        b'{"type": "char", "format_version": 1}',
        b'{"type": "char", "format_version": 1, "vocab": "abc"}',
        b'{"type": "char", "format_version": 1, "vocab": ["a", "a"]}',
        b'{"type": "char", "format_version": 1, "vocab": [["a"]]}',
        b'{"type": "char", "format_version": 1, "vocab": ["\\ud800"]}',
        b'{"type": "char", "format_version": 1, "vocab": ["a"], "more": 1}',
        b'{"type": "integer", "format_version": 1, "d_vocab": 0}',
        b'{"type": "integer", "format_version": 1, "d_vocab": 1e9}',
        b'{"type": "integer", "format_version": 1, "d_vocab": true}',
        b'{"type": "integer", "format_version": 1, "d_vocab": ' + b"9" * 5000 + b"}",
        b'{"model": 3}',
        b'{"model": {"type": "BPE"}}',
    ],
)
def test_damaged_and_foreign_files(tmp_path, content):
    refused(tmp_path / "tokenizer.json", content)


def test_a_file_that_is_too_large_is_not_parsed(tmp_path):
    refused(tmp_path / "tokenizer.json", b" " * (8 * 2**20 + 1), "more than 8388608 bytes")


CHANGES = {
    "a vocabulary without a byte": lambda d: d["model"]["vocab"].pop("a"),
    "a gap in the ids": lambda d: d["model"]["vocab"].update({"Ġthe": 10_000}),
    "an id that is no integer": lambda d: d["model"]["vocab"].update({"a": "97"}),
    "an id that is a float": lambda d: d["model"]["vocab"].update({"a": 97.0}),
    "a token in foreign characters": lambda d: d["model"]["vocab"].update({"日本": 400}),
    "an empty token": lambda d: d["model"]["vocab"].update({"": 400}),
    "a vocabulary that is a list": lambda d: d["model"].update(vocab=[]),
    "no merges": lambda d: d["model"].pop("merges"),
    "a merge too few": lambda d: d["model"]["merges"].pop(),
    "merges in another order": lambda d: d["model"]["merges"].reverse(),
    "a merge of three": lambda d: d["model"]["merges"][0].append("a"),
    "a merge of numbers": lambda d: d["model"]["merges"].__setitem__(0, [1, 2]),
    "a merge with an empty side": lambda d: d["model"]["merges"].__setitem__(
        0, ["", "".join(d["model"]["merges"][0])]
    ),
    "another model": lambda d: d["model"].update(type="WordPiece"),
    "a normalizer": lambda d: d.update(normalizer={"type": "NFC"}),
    "special tokens": lambda d: d.update(added_tokens=[{"id": 400, "content": "<|end|>"}]),
    "another split": lambda d: d.update(pre_tokenizer={"type": "Whitespace"}),
    "a prefix space": lambda d: d["pre_tokenizer"].update(add_prefix_space=True),
    "another version": lambda d: d.update(version="2.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_bpe_files_that_were_tampered_with(bpe_file, tmp_path, change):
    data = json.loads(bpe_file.read_text("utf-8"))
    CHANGES[change](data)
    refused(tmp_path / "tokenizer.json", json.dumps(data).encode())


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_truncated_files_are_refused(bpe_file, tmp_path_factory, data):
    content = bpe_file.read_bytes()
    end = data.draw(st.integers(0, len(content) - 1))
    refused(tmp_path_factory.getbasetemp() / "truncated.json", content[:end])
