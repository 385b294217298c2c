"""Who, where, which company, when: the named entities of a sentence, with names never seen."""

import random
from collections.abc import Sequence
from functools import cache

import torch

from tfs.tasks.batch import mixed_bits
from tfs.tasks.labelled import CLS, MARKS, PAD, SEP, LabelledBatch
from tfs.tasks.pairs import padded
from tfs.tokenizers import BPETokenizer, MarkedTokenizer

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
        rng = random.Random(0)
        text = "\n".join(" ".join(self._sentence(rng, "train")[0]) for _ in range(TEXTS_FOR_BPE))
        self.tokenizer = MarkedTokenizer(BPETokenizer.train(text, D_VOCAB - len(MARKS)), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = 96

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n sentences, with names of one side of the split."""
        rng = random.Random(seed)
        return self.batch([self._sentence(rng, split) for _ in range(n)])

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
        ids, first = [self.tokenizer.mark_id(CLS)], []
        for word in words:
            first.append(len(ids))
            ids += self.tokenizer.encode(f" {word}")
        ids.append(self.tokenizer.mark_id(SEP))
        if len(ids) > self.n_ctx:
            raise ValueError(f"the sentence has {len(ids)} tokens; {self.n_ctx} are allowed")
        return ids, first

    def floor(self) -> None:
        """Not worked out; close to 0, since what stands around a name tells its kind."""
        return None

    def _sentence(self, rng: random.Random, split: str) -> tuple[list[str], list[str]]:
        """The words of a sentence and their tags."""
        words: list[str] = []
        tags: list[str] = []
        for slot in rng.choice(TEMPLATES):
            if slot not in KINDS:
                words.append(slot)
                tags.append("O")
                continue
            entity = _entity(slot, self.names[split], rng)
            words += entity
            tags += [f"B-{slot}", *[f"I-{slot}"] * (len(entity) - 1)]
        return words, tags


@cache
def names_of_both_sides() -> dict[str, list[str]]:
    """Every name, on the side on which a hash of its number puts it."""
    held_out = (mixed_bits(torch.arange(N_NAMES)) < HELD_OUT).tolist()
    sides: dict[str, list[str]] = {"train": [], "held_out": []}
    for number, out in enumerate(held_out):
        sides["held_out" if out else "train"].append(name_of(number))
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
