"""Texts in, texts out: an EncoderDecoder with its tokenizer.

>>> bundle = tfs.load("dates")
>>> translate(bundle.model, bundle.tokenizer, ["the 7th of March, 1994"])
['1994-03-07']
"""

from collections.abc import Sequence

from tfs.model import EncoderDecoder
from tfs.seq2seq import beam_decode, greedy_decode
from tfs.tasks.pairs import END, PAD, START, padded
from tfs.tokenizers import MarkedTokenizer


def translate(
    model: EncoderDecoder, tokenizer: MarkedTokenizer, texts: Sequence[str], beams: int = 1
) -> list[str]:
    """What the model writes for each text: greedily, or the best of so many beams.

    Raises ValueError for a text that is empty, too long, or has what the tokenizer cannot read.
    """
    rows = [tokenizer.encode(text) for text in texts]
    for text, row in zip(texts, rows, strict=True):
        if not row or len(row) > model.cfg.n_ctx:
            raise ValueError(
                f"the text {text[:40]!r} has {len(row)} tokens; this model reads 1 to "
                f"{model.cfg.n_ctx}"
            )
    tokens, real = padded(rows, tokenizer.mark_id(PAD))
    marks = {"start": tokenizer.mark_id(START), "end": tokenizer.mark_id(END)}
    if beams == 1:
        written = greedy_decode(model, tokens, **marks, one_zero_attention_mask=real).tolist()
    else:
        found = beam_decode(model, tokens, **marks, beams=beams, one_zero_attention_mask=real)
        written = [list(best[0].tokens) for best in found]
    return [tokenizer.plain(_until(marks["end"], row)) for row in written]


def _until(end: int, tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(end)] if end in tokens else tokens
