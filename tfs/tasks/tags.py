"""The named entities of a sentence, with names never seen: tfs.templates.entities for a model."""

from collections.abc import Sequence

import torch

from tfs.tasks.labelled import LabelledBatch
from tfs.tasks.pairs import padded
from tfs.templates.entities import (
    D_VOCAB,
    LABELS,
    N_CTX,
    names_of_both_sides,
    tagged_sentences,
    text_for_bpe,
)
from tfs.templates.rows import MARKS, PAD, sentence_row
from tfs.tokenizers import BPETokenizer, MarkedTokenizer


class TagsTask:
    """Sentences from templates, one tag a word: B-PER, I-PER, ..., or O.

    Tomira Vedan flew from Port Kaselo to Bali on 3 May 1994 . has the tags B-PER I-PER O O B-LOC
    I-LOC O B-LOC O B-DATE I-DATE I-DATE O. A name is made of syllables, 29,400 of them, and the
    same may be a person's, a place's or a company's: its neighbours tell. A fifth of all names is
    held out: no training sentence has one of them, whatever it names; each held-out sentence has
    no other. Byte-pair encoding, trained on training sentences, still reads them, in pieces. A tag
    stands at the first piece of its word, where alone it is asked for, as in Devlin et al. 2019,
    section 5.3.
    """

    name = "tags"
    labels = LABELS

    def __init__(self) -> None:
        self.names = names_of_both_sides()
        bpe = BPETokenizer.train(text_for_bpe(), D_VOCAB - len(MARKS))
        self.tokenizer = MarkedTokenizer(bpe, MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = N_CTX

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n sentences, with names of one side of the split."""
        return self.batch(tagged_sentences(n, seed, split))

    def batch(self, sentences: Sequence[tuple[list[str], list[str]]]) -> LabelledBatch:
        """Words and their tags -> tensors. ValueError where a sentence has more than n_ctx tokens,
        or a tag is unknown.
        """
        rows, labels, asked = [], [], []
        for words, tags in sentences:
            ids, first = self.read(words)
            row = [0] * len(ids)
            for place, tag in zip(first, tags, strict=True):
                row[place] = LABELS.index(tag)
            rows.append(ids)
            labels.append(row)
            asked.append([int(place in first) for place in range(len(ids))])
        tokens, token_mask = padded(rows, self.tokenizer.mark_id(PAD))
        loss_mask = padded(asked, 0)[0].bool()
        segments = torch.zeros_like(tokens)
        return LabelledBatch(
            tokens, token_mask, segments, padded(labels, 0)[0], loss_mask, loss_mask.clone()
        )

    def read(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """A sentence's tokens with [CLS] and [SEP], and at which of them each word begins.

        Raises ValueError where there are more than n_ctx of them.
        """
        ids, first = sentence_row(words, self.tokenizer)
        if len(ids) > self.n_ctx:
            raise ValueError(f"the sentence has {len(ids)} tokens; {self.n_ctx} are allowed")
        return ids, first

    def floor(self) -> None:
        """Not worked out; close to 0, since what stands around a name tells its kind."""
        return None
