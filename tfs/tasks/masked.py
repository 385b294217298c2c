"""Masked words: a sentence with holes, for a model that reads both ways.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", section 3.1, Task #1.
"""

import random

import torch

from tfs.tasks.grammar import draw_sentences
from tfs.tasks.labelled import LabelledBatch
from tfs.tasks.pairs import padded
from tfs.tasks.two_languages import Word, velu, velu_words
from tfs.templates.rows import CLS, MARKS, MASK, PAD, SEP
from tfs.tokenizers import MarkedTokenizer, WordTokenizer

CHOSEN, TO_MASK, TO_RANDOM = 0.15, 0.8, 0.1


class MaskedWordsTask:
    """Velu sentences (see two_languages.py) of which 15% of the words are to be told.

    [CLS] lo tol [MASK] lain miraim visent [SEP]: a chosen word is masked in 80% of cases, becomes a
    random word in 10%, and stays in 10%; at least one word a sentence is chosen. The labels are the
    words themselves. What stem stood there cannot be known, but its agreement can, and articles
    and particles whole: answer_mask is True at the chosen of those whose noun, or whose other half,
    stands. The sentences that the grammar task holds out are held out here.
    """

    name = "masked-words"

    def __init__(self) -> None:
        self.tokenizer = MarkedTokenizer(WordTokenizer(velu_words()), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.labels = tuple(self.tokenizer.str_tokens(range(self.d_vocab)))
        self.n_ctx = 2 + len("ku ne V pa the N A A the N A A".split())

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n sentences of one side of the split; what is done to them is drawn from the seed too."""
        rng, rows = random.Random(seed), []
        for sentence in draw_sentences(n, seed, split):
            words = velu(sentence)
            count = max(1, round(CHOSEN * len(words)))
            rows.append((words, sorted(rng.sample(range(len(words)), count))))
        texts = [" ".join((CLS, *(word.text for word in words), SEP)) for words, _ in rows]
        pad = self.tokenizer.mark_id(PAD)
        labels, token_mask = padded([self.tokenizer.encode(text) for text in texts], pad)
        tokens = labels.clone()
        chosen, known = torch.zeros_like(token_mask), torch.zeros_like(token_mask)
        for row, (words, places) in enumerate(rows):
            for place in places:
                tokens[row, 1 + place] = self._shown(int(labels[row, 1 + place]), rng)
                chosen[row, 1 + place] = True
                known[row, 1 + place] = can_be_known(words, place, places)
        return LabelledBatch(tokens, token_mask, torch.zeros_like(tokens), labels, chosen, known)

    def floor(self) -> None:
        """Not known: how much the words left standing tell of the others was not worked out."""
        return None

    def _shown(self, word: int, rng: random.Random) -> int:
        """What stands in place of a chosen word: the mask, any word, or itself."""
        dice = rng.random()
        if dice < TO_MASK:
            return self.tokenizer.mark_id(MASK)
        return rng.randrange(len(MARKS), self.d_vocab) if dice < TO_MASK + TO_RANDOM else word


def can_be_known(words: list[Word], place: int, chosen: list[int]) -> bool:
    """Whether a word that is not chosen settles the word at `place`: an article by its noun, one
    half of "ne ... pa" by the other. Where the noun may be a random word, this is all but certain.
    """
    part, says = words[place].says
    wanted = {"article": "noun", "not": "not"}.get(says)
    return any(
        words[other].says == (part, wanted) and other not in chosen and other != place
        for other in range(len(words))
    )
