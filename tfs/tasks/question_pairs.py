"""Two questions: do they ask the same?"""

import random
from itertools import combinations

import torch

from tfs.tasks.batch import mixed_bits
from tfs.tasks.ioi import NAMES
from tfs.tasks.labelled import CLS, MARKS, PAD, SEP, LabelledBatch
from tfs.tasks.pairs import padded
from tfs.tokenizers import MarkedTokenizer, WordTokenizer

FORMS = [  # all forms of a group ask the same of A and B
    [form.split() for form in group]
    for group in (
        (
            "is A older than B ?",
            "is B younger than A ?",
            "is it A who is older than B ?",
            "was A born before B ?",
        ),
        (
            "is A taller than B ?",
            "is B shorter than A ?",
            "is it A who is taller than B ?",
            "does A stand taller than B ?",
        ),
        (
            "did A lend money to B ?",
            "did B borrow money from A ?",
            "does B owe A money ?",
            "was it A who lent B money ?",
        ),
        (
            "did A sell a house to B ?",
            "did B buy a house from A ?",
            "was it A who sold B a house ?",
            "has B bought a house of A ?",
        ),
        (
            "is A the mother of B ?",
            "is B the child of A ?",
            "did A give birth to B ?",
            "does B call A mother ?",
        ),
        (
            "did A teach B ?",
            "did B learn from A ?",
            "was B taught by A ?",
            "is A the teacher of B ?",
        ),
    )
]
NAMES_HELD_OUT, FORMS_HELD_OUT = 0.2, 0.2  # of the pairs of names, of the pairs of forms


class QuestionPairsTask:
    """Two questions about the same two people, and whether they ask the same.

    [CLS] is Ada older than Ben ? [SEP] is Ben younger than Ada ? [SEP] is the same. With the names
    of the second question exchanged it is not, though the words are: who counts words is right half
    of the time, whatever they learn. Held out are a fifth of the pairs of names and a fifth of the
    pairs of two forms; held-out questions have both, so neither was met together in training. One
    form twice, which is the way into the task, is met in training alone.
    """

    name = "question-pairs"
    labels = ("different", "same")

    def __init__(self) -> None:
        words = {word for group in FORMS for form in group for word in form} - {"A", "B"}
        self.tokenizer = MarkedTokenizer(WordTokenizer([*NAMES, *sorted(words)]), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = 3 + 2 * max(len(form) for group in FORMS for form in group)
        self.names = _split(list(combinations(NAMES, 2)), NAMES_HELD_OUT)
        pairs = [(group, *two) for group in range(len(FORMS)) for two in combinations(range(4), 2)]
        self.forms = _split(pairs, FORMS_HELD_OUT)
        twice = [(group, form, form) for group in range(len(FORMS)) for form in range(4)]
        self.forms["train"] += twice

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n pairs of questions; each is the same with probability 1/2."""
        rng = random.Random(seed)
        return self.batch([self._pair(rng, split) for _ in range(n)])

    def batch(self, pairs: list[tuple[str, str, bool]]) -> LabelledBatch:
        """Two questions each, and whether they ask the same -> tensors.

        Raises ValueError for a word that the vocabulary does not have.
        """
        encode, sep = self.tokenizer.encode, self.tokenizer.mark_id(SEP)
        first = [[self.tokenizer.mark_id(CLS), *encode(one), sep] for one, _, _ in pairs]
        second = [[*encode(other), sep] for _, other, _ in pairs]
        rows = [one + other for one, other in zip(first, second, strict=True)]
        tokens, token_mask = padded(rows, self.tokenizer.mark_id(PAD))
        behind = torch.arange(tokens.shape[1]) >= torch.tensor([[len(one)] for one in first])
        labels, asked = torch.zeros_like(tokens), torch.zeros_like(token_mask)
        labels[:, 0] = torch.tensor([int(same) for _, _, same in pairs])
        asked[:, 0] = True
        return LabelledBatch(
            tokens, token_mask, (behind & token_mask).long(), labels, asked, asked.clone()
        )

    def floor(self) -> float:
        """0: the questions tell whether they are the same."""
        return 0.0

    def _pair(self, rng: random.Random, split: str) -> tuple[str, str, bool]:
        group, *forms = rng.choice(self.forms[split])
        one, other = rng.sample(rng.choice(self.names[split]), 2)
        rng.shuffle(forms)
        same = rng.random() < 0.5
        first, second = (FORMS[group][form] for form in forms)
        swapped = (one, other) if same else (other, one)
        return _filled(first, one, other), _filled(second, *swapped), same


def _filled(form: list[str], one: str, other: str) -> str:
    return " ".join({"A": one, "B": other}.get(word, word) for word in form)


def _split(things: list, share: float) -> dict[str, list]:
    """Each on the side on which a hash of its place puts it."""
    held_out = (mixed_bits(torch.arange(len(things))) < share).tolist()
    return {
        "train": [thing for thing, out in zip(things, held_out, strict=True) if not out],
        "held_out": [thing for thing, out in zip(things, held_out, strict=True) if out],
    }
