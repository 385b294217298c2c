"""A BPETokenizer in the layout of Hugging Face's tokenizer.json, and back.

JSON holds text, not bytes, so GPT-2 gave each byte a character that can be printed: visible
characters of Latin-1 stand for their own byte, and the other bytes take the characters from U+0100
on. A leading blank therefore reads as "Ġ" (U+0120): " the" is "Ġthe" in the file.

The file is what `tokenizers.Tokenizer.from_file` opens; it encodes to the same ids.
"""

import reprlib
from typing import Any

from tfs.tokenizers.bpe import BPETokenizer
from tfs.tokenizers.bytelevel import GPT2_PATTERN

_VISIBLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_HIDDEN = [byte for byte in range(0x100) if byte not in _VISIBLE]
CHAR_OF_BYTE = {byte: chr(byte) for byte in _VISIBLE} | {
    byte: chr(0x100 + place) for place, byte in enumerate(_HIDDEN)
}
BYTE_OF_CHAR = {char: byte for byte, char in CHAR_OF_BYTE.items()}

_BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
_FRAME_MODEL = {
    "type": "BPE",
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}
_FRAME = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": _BYTE_LEVEL,
    "post_processor": None,
    "decoder": _BYTE_LEVEL,
    "model": _FRAME_MODEL,
}


def printable(token: bytes) -> str:
    """b' the' -> 'Ġthe'."""
    return "".join(CHAR_OF_BYTE[byte] for byte in token)


def unprintable(text: str) -> bytes:
    """'Ġthe' -> b' the'; ValueError for text that no bytes are written as."""
    unknown = set(text) - BYTE_OF_CHAR.keys()
    if unknown:
        raise ValueError(f"{reprlib.repr(text)} is not a token in byte-level characters")
    return bytes(BYTE_OF_CHAR[char] for char in text)


def bpe_to_json(tokenizer: BPETokenizer) -> dict[str, Any]:
    """The whole tokenizer.json as a dict; ValueError for words split otherwise than GPT-2's."""
    if tokenizer.pattern != GPT2_PATTERN:
        raise ValueError("Only a BPETokenizer with GPT-2's split pattern can be written to a file.")
    vocab = {printable(token): rank for rank, token in enumerate(tokenizer.tokens)}
    merges = [[printable(left), printable(right)] for left, right in tokenizer.merges()]
    return {**_FRAME, "model": {**_FRAME_MODEL, "vocab": vocab, "merges": merges}}


def bpe_from_json(data: dict[str, Any]) -> BPETokenizer:
    """The tokenizer of what bpe_to_json wrote.

    Raises ValueError unless all but vocabulary and merges is as bpe_to_json writes it, the ids pass
    BPETokenizer's check, and each merge makes the next token out of two of the vocabulary.
    """
    model = data.get("model")
    if not isinstance(model, dict):
        raise ValueError("it has no model")
    settings = dict(model)
    vocab, merges = settings.pop("vocab", None), settings.pop("merges", None)
    if {**data, "model": settings} != _FRAME:
        raise ValueError("it is not plain byte-level BPE without special tokens")
    if not isinstance(vocab, dict) or not all(type(rank) is int for rank in vocab.values()):
        raise ValueError("its vocabulary is not a table of tokens and whole numbers")
    if not isinstance(merges, list) or not all(_is_pair_in(vocab, merge) for merge in merges):
        raise ValueError("its merges are not a list of pairs of tokens")
    tokenizer = BPETokenizer({unprintable(token): rank for token, rank in vocab.items()})
    long_tokens = [printable(token) for token in tokenizer.tokens if len(token) > 1]
    if [left + right for left, right in merges] != long_tokens:
        raise ValueError("its merges do not make its vocabulary in the order of the ids")
    return tokenizer


def _is_pair_in(vocab: dict[str, Any], merge: Any) -> bool:
    if not isinstance(merge, list) or len(merge) != 2:
        return False
    return all(isinstance(part, str) and part in vocab for part in merge)
