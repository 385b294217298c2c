"""Sentences with named entities: who, where, which company, when; with names of made-up words.

Tomira Vedan flew from Port Kaselo to Bali on 3 May 1994 . has the tags B-PER I-PER O O B-LOC I-LOC
O B-LOC O B-DATE I-DATE I-DATE O. A name is made of syllables, 29,400 of them, and the same may be a
person's, a place's or a company's: its neighbours tell. A fifth of all names is held out.
"""

import random
from collections.abc import Sequence
from functools import cache

from tfs.templates.split import mixed_bits

KINDS = ("PER", "LOC", "ORG", "DATE")
LABELS = ("O", *(f"{prefix}-{kind}" for kind in KINDS for prefix in "BI"))
TEMPLATES = [
    template.split()
    for template in (
        "PER flew from LOC to LOC on DATE .",
        "PER was born in LOC on DATE .",
        "On DATE , PER met PER in LOC .",
        "Yesterday PER left ORG after nine years .",
        "ORG opened an office in LOC .",
        "ORG bought shares of ORG on DATE .",
        "The mayor of LOC , PER , thanked ORG .",
        "In LOC , the workers of ORG went on strike .",
        "PER works for ORG near LOC .",
        "Since DATE , ORG has belonged to PER .",
        "My sister PER moved to LOC in May .",
        "The river runs through LOC and LOC .",
        "Nobody at ORG had heard of it before DATE .",
        "PER and PER founded ORG in LOC .",
        "It rained all day in LOC .",
        "A letter from PER reached LOC on DATE .",
        "Shares of ORG fell after PER resigned .",
        "Last summer PER drove to LOC with friends .",
        "The game against ORG will be played in LOC .",
        "Until DATE , LOC was the home of PER .",
    )
]
MONTHS = (
    "January February March April May June July August September October November December"
).split()
CONSONANTS, VOWELS, CLOSINGS = "bdfgklmnprstvz", "aeiou", ("", "n", "r", "l", "s", "ck")
N_NAMES = (len(CONSONANTS) * len(VOWELS)) ** 2 * len(CLOSINGS)
HELD_OUT = 0.2  # of the names
TEXTS_FOR_BPE, D_VOCAB = 2000, 512
N_CTX = 96  # tokens, marks among them; no sentence has as many
Sentence = tuple[list[str], list[str]]  # the words, and a tag for each


def tagged_sentences(n: int, seed: int | str, split: str = "train") -> list[Sentence]:
    """n sentences, with names of one side of the split ("train" or "held_out")."""
    rng, names = random.Random(seed), names_of_both_sides()[split]
    return [_sentence(rng, names) for _ in range(n)]


def text_for_bpe() -> str:
    """Sentences of the training side, one a line: what a tokenizer may learn from."""
    return "\n".join(" ".join(words) for words, _ in tagged_sentences(TEXTS_FOR_BPE, seed=0))


@cache
def names_of_both_sides() -> dict[str, list[str]]:
    """Every name, on the side on which a hash of its number puts it."""
    sides: dict[str, list[str]] = {"train": [], "held_out": []}
    for number in range(N_NAMES):
        sides["held_out" if mixed_bits(number) < HELD_OUT else "train"].append(name_of(number))
    return sides


def name_of(number: int) -> str:
    """0 ... N_NAMES - 1 -> a name such as Tomir: two syllables and a closing, as digits."""
    number, closing = divmod(number, len(CLOSINGS))
    letters = ""
    for _ in range(2):
        number, vowel = divmod(number, len(VOWELS))
        number, consonant = divmod(number, len(CONSONANTS))
        letters += CONSONANTS[consonant] + VOWELS[vowel]
    return (letters + CLOSINGS[closing]).capitalize()


def _sentence(rng: random.Random, names: Sequence[str]) -> Sentence:
    """The words of a sentence and their tags."""
    words: list[str] = []
    tags: list[str] = []
    for slot in rng.choice(TEMPLATES):
        if slot not in KINDS:
            words.append(slot)
            tags.append("O")
            continue
        entity = _entity(slot, names, rng)
        words += entity
        tags += [f"B-{slot}", *[f"I-{slot}"] * (len(entity) - 1)]
    return words, tags


def _entity(kind: str, names: Sequence[str], rng: random.Random) -> list[str]:
    """One to four words that name a person, a place, a company or a day."""
    one, other = rng.choice(names), rng.choice(names)
    if kind == "DATE":
        day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1900, 2099)
        return rng.choice([f"{day} {month} {year}", f"{month} {year}", f"{year}"]).split()
    forms = {
        "PER": (one, f"{one} {other}", f"{one} {other[0]}. {other}"),
        "LOC": (one, f"Port {one}", f"New {one}", f"{one} on {other}"),
        "ORG": (one, f"{one} Bank", f"{one} & Sons", f"University of {one}"),
    }
    return rng.choice(forms[kind]).split()
