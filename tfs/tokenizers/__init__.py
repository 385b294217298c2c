"""Text to token ids and back: characters, byte-pair encoding, GPT-2's, words, plain numbers,
and any of them with marks.

All of them share `encode`, `decode`, `str_tokens` and `d_vocab` (see protocol.py).
"""

from tfs.tokenizers.bpe import BPETokenizer, bpe_merges, encode_plainly
from tfs.tokenizers.bpe_training import Merge, train_bpe
from tfs.tokenizers.bytelevel import GPT2_PATTERN, show_bytes, split_words
from tfs.tokenizers.char import CharTokenizer
from tfs.tokenizers.files import load_tokenizer, save_tokenizer
from tfs.tokenizers.gpt2 import GPT2Tokenizer
from tfs.tokenizers.integer import IntegerTokenizer
from tfs.tokenizers.marked import MarkedTokenizer
from tfs.tokenizers.protocol import Tokenizer
from tfs.tokenizers.replay import ReplayStep, TokenCount, compare, pieces_after, replay
from tfs.tokenizers.word import WordTokenizer

__all__ = [
    "GPT2_PATTERN",
    "BPETokenizer",
    "CharTokenizer",
    "GPT2Tokenizer",
    "IntegerTokenizer",
    "MarkedTokenizer",
    "Merge",
    "ReplayStep",
    "TokenCount",
    "Tokenizer",
    "WordTokenizer",
    "bpe_merges",
    "compare",
    "encode_plainly",
    "load_tokenizer",
    "pieces_after",
    "replay",
    "save_tokenizer",
    "show_bytes",
    "split_words",
    "train_bpe",
]
