"""What byte-level tokenizers share: splitting text into words, and showing bytes.

A byte-level tokenizer (Radford et al. 2019, GPT-2) does not see characters but their UTF-8 bytes:
256 tokens are enough to write any text there is, so nothing is ever unknown. Characters outside
ASCII take two to four bytes, and a token may end in the middle of one.
"""

import re

import regex
import tiktoken

# GPT-2's split (Radford et al. 2019): an English contraction, or a run of letters, of digits or of
# other marks, each with one blank before it, or blanks. `\s+$` only spares backtracking.
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+$|\s+(?!\S)|\s+"

LONG_BLANK = 100_000


def split_words(text: str, pattern: str = GPT2_PATTERN) -> list[str]:
    """The words that no token may reach across: "it's two  cats" -> it, 's, " two", " ", " cats".

    Half a surrogate pair, which is no character, becomes U+FFFD as it does in tiktoken. What
    `pattern` does not match is left out, so it should match everything. Characters that are newer
    than tiktoken's Unicode tables may be letters here and marks there.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [match.group() for match in regex.finditer(pattern, whole)]


def encode_ordinary(encoding: tiktoken.Encoding, text: str, pattern: str) -> list[int]:
    """The ids of `text`, in which "<|endoftext|>" is thirteen ordinary characters.

    tiktoken's splitter runs out of stack on some hundred thousand blanks in a row, with an error
    that `except Exception` does not catch. Such a text is split here and encoded word by word.
    """
    if len(text) > LONG_BLANK and max(map(len, re.findall(r"\s+", text)), default=0) > LONG_BLANK:
        words = split_words(text, pattern)
        return [token_id for word in words for token_id in encoding.encode_ordinary(word)]
    return encoding.encode_ordinary(text)


def show_bytes(token: bytes) -> str:
    """A token as text, where a byte that is only part of a character reads like "<0xE2>"."""
    text = token.decode("utf-8", errors="surrogateescape")
    return "".join(
        f"<0x{ord(char) - 0xDC00:02X}>" if "\udc80" <= char <= "\udcff" else char for char in text
    )
