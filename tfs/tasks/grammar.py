"""Sentences of a small grammar, to be translated into a language with another order of words."""

import torch
from jaxtyping import Int
from torch import Tensor

from tfs.tasks.batch import generator, mixed_bits
from tfs.tasks.pairs import MARKS, PairBatch, pair_batch
from tfs.tasks.two_languages import (
    ADJECTIVES,
    NOUNS,
    VERBS,
    NounPhrase,
    Sentence,
    alignment,
    english,
    english_words,
    read_english,
    text_of,
    velu,
    velu_words,
)
from tfs.tokenizers import MarkedTokenizer, WordTokenizer

MODIFIERS = 1 + len(ADJECTIVES) + len(ADJECTIVES) * (len(ADJECTIVES) - 1)  # none, one, two
SIZES = (len(NOUNS), 2, MODIFIERS, len(VERBS), len(NOUNS), 2, MODIFIERS, 2, 2)
HELD_OUT = 0.1  # of the sentences


class GrammarTask:
    """An English sentence -> the same in Velu (see two_languages.py), word by word.

    does the small dog not see the birds ? -> ku ne viset pa lo tol piko lain miraim. A tenth of
    the 652,864,000 sentences is held out, by a hash of the tree.
    """

    name = "grammar"

    def __init__(self) -> None:
        words = [*english_words(), *velu_words()]
        self.tokenizer = MarkedTokenizer(WordTokenizer(words), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = 2 + len("ku ne V pa the N A A the N A A".split())

    def sample(self, n: int, seed: int, split: str = "train") -> PairBatch:
        """n sentences of one side of the split and their translations."""
        sentences = draw_sentences(n, seed, split)
        pairs = [(text_of(english(tree)), text_of(velu(tree))) for tree in sentences]
        return pair_batch(pairs, self.tokenizer)

    def floor(self) -> float:
        """0: the English sentence tells the tree, and the tree tells the Velu one."""
        return 0.0

    def translate(self, text: str) -> str:
        """The true translation of an English sentence; ValueError for one outside the grammar."""
        return text_of(velu(read_english(text)))

    def alignment(self, text: str) -> list[int]:
        """For each word of the true translation, the place of its word in the English sentence.

        In tokens: target position 1 + i, behind the start token, comes from source position
        alignment[i]. Raises ValueError for a sentence outside the grammar.
        """
        return alignment(read_english(text))


def draw_sentences(n: int, seed: int, split: str) -> list[Sentence]:
    """n sentences of one side of the split; none, one or two adjectives are equally likely."""
    g = generator(seed)
    kept = torch.empty(0, len(SIZES), dtype=torch.int64)
    while len(kept) < n:
        fields = torch.stack([torch.randint(size, (16 * n,), generator=g) for size in SIZES], 1)
        for column in (2, 6):
            count = torch.randint(3, (16 * n,), generator=g)
            one = 1 + fields[:, column] % len(ADJECTIVES)
            two = 1 + len(ADJECTIVES) + fields[:, column] % (MODIFIERS - 1 - len(ADJECTIVES))
            fields[:, column] = torch.where(count == 0, 0, torch.where(count == 1, one, two))
        kept = torch.cat([kept, fields[is_held_out(fields) == (split == "held_out")]])
    return [tree_of(row) for row in kept[:n].tolist()]


def is_held_out(fields: Int[Tensor, "n field"]) -> Tensor:
    """[n], by a hash of the tree as one number: its fields are digits, the bases are SIZES."""
    number = torch.zeros(len(fields), dtype=torch.int64)
    for column, size in enumerate(SIZES):
        number = number * size + fields[:, column]
    return mixed_bits(number) < HELD_OUT


def tree_of(fields: list[int]) -> Sentence:
    """Nine small numbers, each below its place in SIZES, as a sentence."""
    noun, plural, modifiers, verb, other, others_plural, others_modifiers, negated, asked = fields
    return Sentence(
        NounPhrase(noun, bool(plural), _adjectives(modifiers)),
        verb,
        NounPhrase(other, bool(others_plural), _adjectives(others_modifiers)),
        bool(negated),
        bool(asked),
    )


def _adjectives(modifiers: int) -> tuple[int, ...]:
    """0 is none, 1 ... 10 one adjective, 11 ... 100 two different ones in order."""
    if modifiers <= len(ADJECTIVES):
        return (modifiers - 1,) if modifiers else ()
    first, gap = divmod(modifiers - 1 - len(ADJECTIVES), len(ADJECTIVES) - 1)
    return first, gap + (gap >= first)
