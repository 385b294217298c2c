"""Tokenizers on disk: one `tokenizer.json` beside the weights.

"char", "word", "integer", "gpt2" and "marked", which holds one of the others, are small files of
our own with a "type" and a "format_version". A BPETokenizer is written as Hugging Face writes one
(see huggingface.py); their reader allows no field of ours, so there "model.type" is the type, and
"version" the version.

A file may come from anybody. It is read up to a size limit, parsed as JSON, and every value is
checked before it is used.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from tfs.tokenizers.bpe import BPETokenizer
from tfs.tokenizers.char import CharTokenizer
from tfs.tokenizers.gpt2 import GPT2Tokenizer
from tfs.tokenizers.huggingface import bpe_from_json, bpe_to_json
from tfs.tokenizers.integer import IntegerTokenizer
from tfs.tokenizers.marked import MarkedTokenizer
from tfs.tokenizers.protocol import Tokenizer
from tfs.tokenizers.word import WordTokenizer

FORMAT_VERSION = 1
MAX_FILE_BYTES = 8 * 2**20


def save_tokenizer(tokenizer: Tokenizer, path: str | os.PathLike[str]) -> None:
    """Writes `tokenizer` to the file `path`, whole or not at all; its folder must exist.

    Raises ValueError for a tokenizer that no file describes, OSError where writing fails.
    """
    text = json.dumps(_to_json(tokenizer), ensure_ascii=False, indent=1)
    data = text.encode("utf-8")
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"This tokenizer takes {len(data)} bytes; {MAX_FILE_BYTES} are allowed.")
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """The tokenizer that `save_tokenizer` wrote to the file `path`.

    Raises ValueError, naming the file, where it is too large, damaged or something else; OSError
    where it cannot be read, or where GPT-2's own files are missing (see GPT2Tokenizer).
    """
    with open(path, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    try:
        return _from_json(_parsed(data))
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{os.fspath(path)} holds no tokenizer of ours: {reason}.") from error


def _to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    head = {"format_version": FORMAT_VERSION}
    match tokenizer:
        case BPETokenizer():
            return bpe_to_json(tokenizer)
        case CharTokenizer():
            return {"type": "char", **head, "vocab": tokenizer.vocab}
        case WordTokenizer():
            return {"type": "word", **head, "vocab": tokenizer.vocab}
        case IntegerTokenizer():
            return {"type": "integer", **head, "d_vocab": tokenizer.d_vocab}
        case GPT2Tokenizer():
            return {"type": "gpt2", **head}
        case MarkedTokenizer():
            fields = {"marks": tokenizer.marks, "unknown": tokenizer.unknown}
            return {"type": "marked", **head, **fields, "inner": _to_json(tokenizer.inner)}
    raise ValueError(f"There is no file format for a {type(tokenizer).__name__}.")


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it has more than {MAX_FILE_BYTES} bytes")
    try:
        parsed = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise ValueError("it is not a JSON object")
    return parsed


def _from_json(data: dict[str, Any]) -> Tokenizer:
    if "model" in data:
        return bpe_from_json(data)
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _READERS:
        raise ValueError(f"its type is none of {', '.join(_READERS)} and it has no BPE model")
    field, reader = _READERS[kind]
    if data.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"its format_version is not {FORMAT_VERSION}, the one this program reads")
    if data.keys() != {"type", "format_version", *field}:
        raise ValueError(f"a tokenizer of type {kind} has other fields")
    return reader(*(data[name] for name in field))


def _read_char(vocab: Any) -> CharTokenizer:
    if not isinstance(vocab, list) or not all(isinstance(char, str) for char in vocab):
        raise ValueError("its vocab is not a list of characters")
    return CharTokenizer(vocab)


def _read_word(vocab: Any) -> WordTokenizer:
    if not isinstance(vocab, list) or not all(isinstance(word, str) for word in vocab):
        raise ValueError("its vocab is not a list of words")
    return WordTokenizer(vocab)


def _read_integer(d_vocab: Any) -> IntegerTokenizer:
    if not isinstance(d_vocab, int):
        raise ValueError("its d_vocab is not a whole number")
    return IntegerTokenizer(d_vocab)


def _read_marked(marks: Any, unknown: Any, inner: Any) -> MarkedTokenizer:
    if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
        raise ValueError("its marks are not a list of words")
    if unknown is not None and not isinstance(unknown, str):
        raise ValueError("its unknown is not a word")
    if not isinstance(inner, dict) or inner.get("type") == "marked":
        raise ValueError("its inner tokenizer is not one without marks")
    return MarkedTokenizer(_from_json(inner), marks, unknown)


_READERS: dict[str, tuple[tuple[str, ...], Callable[..., Tokenizer]]] = {
    "char": (("vocab",), _read_char),
    "word": (("vocab",), _read_word),
    "integer": (("d_vocab",), _read_integer),
    "gpt2": ((), GPT2Tokenizer),
    "marked": (("marks", "unknown", "inner"), _read_marked),
}
