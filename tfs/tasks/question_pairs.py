"""Two questions: do they ask the same?"""

import random
from itertools import combinations

import torch

from tfs.tasks.batch import mixed_bits
from tfs.tasks.ioi import NAMES
from tfs.tasks.labelled import CLS, MARKS, PAD, SEP, LabelledBatch
from tfs.tasks.pairs import padded
from tfs.tokenizers import MarkedTokenizer, WordTokenizer

FORMS = {  # all forms of a relation ask the same of A and B
    relation: [form.split() for form in forms]
    for relation, forms in {
        "older": ("is A older than B ?", "was A born before B ?", "has A lived longer than B ?"),
        "taller": ("is A taller than B ?", "does A tower over B ?", "has A grown higher than B ?"),
        "lender": ("did A lend money to B ?", "is A owed money by B ?", "did A give B a loan ?"),
        "seller": (
            "did A sell B a house ?",
            "did A sell a house to B ?",
            "did the house of A go to B ?",
        ),
        "mother": (
            "is A the mother of B ?",
            "did A give birth to B ?",
            "does A call B her child ?",
        ),
        "teacher": ("did A teach B ?", "is A the teacher of B ?", "did A give lessons to B ?"),
        "winner": ("did A beat B ?", "did A win against B ?", "was A too strong for B ?"),
        "writer": ("did A write to B ?", "did A send B a letter ?", "has A posted a letter to B ?"),
    }.items()
}
PEOPLE = NAMES[::6]
HELD_OUT = 0.2  # of the pairs of people
KINDS = {"same": 1 / 2, "exchanged": 1 / 4, "another relation": 1 / 8, "other people": 1 / 8}


class QuestionPairsTask:
    """Two questions about two people each, and whether they ask the same.

    [CLS] is Ada older than Edith ? [SEP] was Ada born before Edith ? [SEP] is the same. Half of the
    others have the two names exchanged, a quarter ask for another relation of the same two, and a
    quarter the same of two other people. Exchanged names leave every word as it was: who reads the
    words without their order cannot be right of more than three in four. Held out are a fifth of
    the pairs of people, who never met in training; each form is met there.

    It can be learned in parts, names and relations first and their order then. With forms that name
    B first ("is B younger than A ?") the order says nothing before the forms are known, nor the
    forms before the order.
    """

    name = "question-pairs"
    labels = ("different", "same")

    def __init__(self) -> None:
        words = {word for forms in FORMS.values() for form in forms for word in form} - {"A", "B"}
        self.tokenizer = MarkedTokenizer(WordTokenizer([*PEOPLE, *sorted(words)]), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = 3 + 2 * max(len(form) for forms in FORMS.values() for form in forms)
        pairs = list(combinations(PEOPLE, 2))
        is_out = (mixed_bits(torch.arange(len(pairs))) < HELD_OUT).tolist()
        self.people = {
            split: [pair for pair, out in zip(pairs, is_out, strict=True) if out == wanted]
            for split, wanted in (("train", False), ("held_out", True))
        }

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n pairs of questions; each is the same with probability 1/2."""
        rng = random.Random(seed)
        kinds = rng.choices(list(KINDS), KINDS.values(), k=n)
        return self.batch([self.pair(kind, rng, split) for kind in kinds])

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

    def pair(self, kind: str, rng: random.Random, split: str) -> tuple[str, str, bool]:
        """Two questions of one of KINDS, and whether they ask the same."""
        relations = [rng.choice(list(FORMS))] * 2
        if kind == "another relation":
            relations = rng.sample(list(FORMS), 2)
        people = others = rng.sample(rng.choice(self.people[split]), 2)
        if kind == "exchanged":
            others = people[::-1]
        while kind == "other people" and set(others) == set(people):
            others = rng.sample(rng.choice(self.people[split]), 2)
        forms = [rng.choice(FORMS[relation]) for relation in relations]
        first, second = (_filled(*each) for each in zip(forms, (people, others), strict=True))
        return first, second, kind == "same"


def _filled(form: list[str], people: list[str]) -> str:
    return " ".join({"A": people[0], "B": people[1]}.get(word, word) for word in form)
