"""Pairs of questions about two people each: do they ask the same?

"is Ada older than Edith ?" and "was Ada born before Edith ?" do. Half of the others have the two
names exchanged, a quarter ask for another relation of the same two, and a quarter the same of two
other people. A fifth of the pairs of people is held out: they never meet in training.
"""

import random
from functools import cache
from itertools import combinations

from tfs.templates.first_names import NAMES
from tfs.templates.split import mixed_bits

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
LABELS = ("different", "same")
N_CTX = 3 + 2 * max(len(form) for forms in FORMS.values() for form in forms)  # words and 3 marks
Pair = tuple[str, str, bool]  # two questions, and whether they ask the same


def question_pairs(n: int, seed: int | str, split: str = "train") -> list[Pair]:
    """n pairs of one side of the split ("train" or "held_out"); half of them ask the same."""
    rng = random.Random(seed)
    kinds = rng.choices(list(KINDS), KINDS.values(), k=n)
    return [question_pair(kind, rng, split) for kind in kinds]


@cache
def people_of_both_sides() -> dict[str, list[tuple[str, str]]]:
    """Every pair of people, on the side on which a hash of its number puts it."""
    sides: dict[str, list[tuple[str, str]]] = {"train": [], "held_out": []}
    for number, pair in enumerate(combinations(PEOPLE, 2)):
        sides["held_out" if mixed_bits(number) < HELD_OUT else "train"].append(pair)
    return sides


def words_of_questions() -> list[str]:
    """Every word that a question may have: people first, then the words of FORMS in order."""
    words = {word for forms in FORMS.values() for form in forms for word in form} - {"A", "B"}
    return [*PEOPLE, *sorted(words)]


def question_pair(kind: str, rng: random.Random, split: str) -> Pair:
    """Two questions of one of KINDS, and whether they ask the same."""
    pairs = people_of_both_sides()[split]
    relations = [rng.choice(list(FORMS))] * 2
    if kind == "another relation":
        relations = rng.sample(list(FORMS), 2)
    people = others = rng.sample(rng.choice(pairs), 2)
    if kind == "exchanged":
        others = people[::-1]
    while kind == "other people" and set(others) == set(people):
        others = rng.sample(rng.choice(pairs), 2)
    forms = [rng.choice(FORMS[relation]) for relation in relations]
    first, second = (_filled(*each) for each in zip(forms, (people, others), strict=True))
    return first, second, kind == "same"


def _filled(form: list[str], people: list[str]) -> str:
    return " ".join({"A": people[0], "B": people[1]}.get(word, word) for word in form)
