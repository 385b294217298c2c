"""Text of a small grammar in which it is known who is to whom as who to whom.

Of each pair, such as paris and france, both words stand beside the same things (seine, gaul), and
each beside what its kind does (a capital has a mayor, a country a border). That is all that word
vectors need: "paris" should become what the pair shares plus what capitals share.
"""

from typing import NamedTuple

import numpy as np


class Family(NamedTuple):
    """Pairs of one relation. pairs: one word, the other, and what is said of both alone.

    of_one, of_other: what is said of all the first words, and of all the second ones.
    """

    name: str
    of_one: tuple[str, ...]
    of_other: tuple[str, ...]
    pairs: tuple[tuple[str, ...], ...]


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split()) for line in text.strip().splitlines())


FAMILIES = (
    Family(
        "capital and country",
        ("city", "mayor", "streets"),
        ("country", "border", "army"),
        _pairs("""
            paris france seine gaul
            berlin germany spree prussia
            rome italy tiber apennines
            madrid spain manzanares pyrenees
            lisbon portugal tagus algarve
            vienna austria danube tyrol
            oslo norway fjord vikings
            athens greece acropolis aegean
            cairo egypt nile pyramids
            tokyo japan fuji samurai
            london england thames tudors
            warsaw poland vistula masuria
        """),
    ),
    Family(
        "man and woman",
        ("he", "his", "beard"),
        ("she", "her", "gown"),
        _pairs("""
            man woman adult grown
            king queen throne crown
            prince princess heir palace
            actor actress stage film
            waiter waitress menu tray
            uncle aunt cousins visit
            father mother parents home
            brother sister siblings twins
            wizard witch spell potion
            hero heroine quest dragon
        """),
    ),
    Family(
        "one and several",
        ("a", "one", "is"),
        ("many", "several", "are"),
        _pairs("""
            cat cats purr whiskers
            dog dogs bark kennel
            bird birds feathers nest
            fish fishes fins water
            tree trees leaves trunk
            car cars wheels engine
            book books pages author
            house houses roof windows
            ship ships sails harbour
            star stars sky telescope
        """),
    ),
)


def analogy_text(sentences: int = 6000, seed: int = 0) -> list[str]:
    """Words in a row, four to a sentence: of a kind, a word, of its pair, "and"."""
    draw = np.random.default_rng(seed)
    words = []
    for _ in range(sentences):
        family = FAMILIES[draw.integers(len(FAMILIES))]
        pair = family.pairs[draw.integers(len(family.pairs))]
        side = draw.integers(2)
        kind = draw.choice(family.of_other if side else family.of_one)
        words += [str(kind), pair[side], str(draw.choice(pair[2:])), "and"]
    return words


def analogies() -> list[tuple[str, str, str, str]]:
    """Every (paris, france, rome, italy): two pairs of a family, read one way and the other."""
    return [
        (one[start], one[1 - start], other[start], other[1 - start])
        for family in FAMILIES
        for one in family.pairs
        for other in family.pairs
        for start in (0, 1)
        if one is not other
    ]


FOUR_WORDS = ("paris", "france", "berlin", "germany")


def four_word_text(length: int = 4000, seed: int = 0) -> list[str]:
    """A walk among two capitals and their countries, on which kind and pair seldom change.

    Each changes with probability 0.25, one whatever the other does. So how often a word follows
    another is a product of two shares, and its logarithm, which word vectors fit, is a sum.
    """
    draw = np.random.default_rng(seed)
    kind, pair = (
        np.cumsum(draw.random((2, length)) < 0.25, axis=1) + draw.integers(2, size=2)[:, None]
    ) % 2
    return [FOUR_WORDS[place] for place in 2 * pair + kind]
