"""GPT-2's own tokenizer (Radford et al. 2019), as tiktoken ships it: 50,257 tokens.

It is byte-level BPE with 50,000 merges that were learned from web pages; the last token,
"<|endoftext|>", stands between documents and no text encodes to it. The merges are not part of any
package: tiktoken fetches two files once and keeps them in its cache folder. It would wait for a
silent network for ever, so whether anyone answers is asked here first, with a time limit.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import tiktoken

from tfs.tokenizers.bytelevel import GPT2_PATTERN, encode_ordinary, show_bytes
from tfs.tokenizers.ids import checked_ids

FILES = tuple(
    f"https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/{name}"
    for name in ("vocab.bpe", "encoder.json")
)
TIMEOUT_SECONDS = 5.0


class GPT2Tokenizer:
    """tiktoken's "gpt2" encoding, in `.encoding`; "<|endoftext|>" in a text is ordinary text.

    Raises OSError where GPT-2's two files are neither in tiktoken's cache nor to be had.
    """

    def __init__(self) -> None:
        self.encoding = _gpt2_encoding()
        self.pattern = GPT2_PATTERN
        self.d_vocab = self.encoding.n_vocab

    @cached_property
    def ranks(self) -> dict[bytes, int]:
        """Token -> id for all but "<|endoftext|>": what `bpe_merges` replays a word with."""
        tokens = self.encoding.token_byte_values()
        return {token: self.encoding.encode_single_token(token) for token in tokens}

    def encode(self, text: str) -> list[int]:
        """The ids of any text whatever; never the special token."""
        return encode_ordinary(self.encoding, text, self.pattern)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that are not UTF-8 become U+FFFD; ValueError out of range."""
        return self.encoding.decode(checked_ids(ids, self.d_vocab), errors="replace")

    def str_tokens(self, text_or_ids: str | Iterable[int]) -> list[str]:
        """One string per token; a byte that is only part of a character reads like "<0xE2>"."""
        ids = self.encode(text_or_ids) if isinstance(text_or_ids, str) else text_or_ids
        checked = checked_ids(ids, self.d_vocab)
        return [show_bytes(token) for token in self.encoding.decode_tokens_bytes(checked)]

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for; ValueError out of range."""
        return self.encoding.decode_single_token_bytes(*checked_ids([token_id], self.d_vocab))


def _gpt2_encoding() -> tiktoken.Encoding:
    try:
        if not all(files_in_cache()):
            with urlopen(Request(FILES[0], method="HEAD"), timeout=TIMEOUT_SECONDS):
                pass
        return tiktoken.get_encoding("gpt2")
    except (OSError, HTTPException) as error:
        folder = _cache_folder() or "any cache folder"
        raise OSError(
            f"GPT-2's tokenizer needs two files that are not in {folder} and that could not be "
            "downloaded: connect this computer to the internet once, or set "
            "TIKTOKEN_CACHE_DIR to a folder that holds both "
            f"({' and '.join(_cached('', url).name for url in FILES)})."
        ) from error


def files_in_cache() -> list[bool]:
    """Of each of FILES, whether tiktoken has it on this machine; nothing is fetched."""
    folder = _cache_folder()
    return [bool(folder) and _cached(folder, url).exists() for url in FILES]


def _cache_folder() -> str:
    """Where tiktoken keeps its files: its own rule, in its own order; empty means nowhere."""
    default = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    return os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))


def _cached(folder: str, url: str) -> Path:
    return Path(folder, hashlib.sha1(url.encode()).hexdigest())
