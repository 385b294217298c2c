"""Two small languages that say the same sentences: one of English words, one that we made up.

                  English                              Velu
word order        the birds see the dog                lai miraim lon tol visent
                  subject, verb, object                subject, object, verb
adjectives        the small red dog                    lo tol rudo piko: behind, the last one first
article           the                                  by gender, number and case
adjective         red                                  by gender and number
verb              sees, see                            by the number of the subject
not               does not see                         ne viset pa: before and behind the verb
question          does the dog see ... ?               ku, then the verb, then the rest

A noun has its gender by nature, as in French: one must know it. Each sentence is a tree of small
numbers, either language is a function of that tree, and the tree can be read off English again.
"""

from collections.abc import Iterator
from typing import NamedTuple

NOUNS = (
    "dog cat bird horse cow frog bear duck goat rabbit "
    "boy girl king queen farmer baker painter sailor doctor teacher"
).split()
ADJECTIVES = "small big old young red black happy tired clever quiet".split()
VERBS = "see hear follow find help like know call visit greet".split()
VELU_NOUNS = (
    "tol kep mira sanu bord lifa grun pesk dalo vim rast noke hulm jari zent ouva fisk melb turo "
    "kand"
).split()
VELU_ADJECTIVES = "pik gar vel jun rud nok lum sor teb hax".split()
VELU_VERBS = "vis aud sek trov jut lik kon nam viz sal".split()
ARTICLES = {  # case -> gender and number, as "m", "f", "m plural", "f plural"
    "nominative": ("lo", "la", "loi", "lai"),
    "accusative": ("lon", "lan", "loin", "lain"),
}
ENDINGS = ("o", "a", "os", "as")  # of adjectives, in the same order
FEMININE = {2, 3, 5, 7, 11, 13, 15, 16, 18, 19}  # places in NOUNS


class NounPhrase(NamedTuple):
    """A noun with its article: places in NOUNS and ADJECTIVES (at most two, in English order)."""

    noun: int
    plural: bool
    adjectives: tuple[int, ...]

    @property
    def form(self) -> int:
        """0 masculine, 1 feminine, 2 masculine plural, 3 feminine plural."""
        return (self.noun in FEMININE) + 2 * self.plural


class Sentence(NamedTuple):
    """Who does what to whom; not, perhaps; or do they?"""

    subject: NounPhrase
    verb: int  # a place in VERBS
    object: NounPhrase
    negated: bool
    question: bool


class Word(NamedTuple):
    """A word, and what it says: the same `says` stands in both languages, None in one alone."""

    text: str
    says: tuple[str, str] | None  # such as ("subject", "noun")


def english(sentence: Sentence) -> list[Word]:
    """does the small dog not see the birds ?"""
    subject, _, object_, negated, question = sentence
    verb = VERBS[sentence.verb]
    auxiliary = Word("do" if subject.plural else "does", None)
    helped = negated or question
    ending = "" if helped or subject.plural else "s"
    return [
        *([auxiliary] if question else []),
        *_english_phrase("subject", subject),
        *([auxiliary] if negated and not question else []),
        *([Word("not", ("sentence", "not"))] if negated else []),
        Word(verb + ending, ("sentence", "verb")),
        *_english_phrase("object", object_),
        *([Word("?", ("sentence", "question"))] if question else []),
    ]


def velu(sentence: Sentence) -> list[Word]:
    """ku ne viset pa lo tol piko lain miraim"""
    verb = VELU_VERBS[sentence.verb] + ("ent" if sentence.subject.plural else "et")
    verbs = [Word(verb, ("sentence", "verb"))]
    if sentence.negated:
        verbs = [Word("ne", ("sentence", "not")), *verbs, Word("pa", ("sentence", "not"))]
    phrases = [
        *_velu_phrase("subject", sentence.subject, "nominative"),
        *_velu_phrase("object", sentence.object, "accusative"),
    ]
    if sentence.question:
        return [Word("ku", ("sentence", "question")), *verbs, *phrases]
    return [*phrases, *verbs]


def text_of(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def alignment(sentence: Sentence) -> list[int]:
    """For each word of the Velu sentence, the place of the English word that it comes from.

    "do" and "does" have no counterpart, and "not" has two.
    """
    said = [word.says for word in english(sentence)]
    return [said.index(word.says) for word in velu(sentence)]


def read_english(text: str) -> Sentence:
    """The tree of an English sentence; ValueError, with an example, for any other text."""
    words = text.split()
    try:
        sentence = _tree([word for word in words if word not in ("do", "does", "not", "?")], words)
    except (ValueError, IndexError):
        sentence = None
    if sentence is None or text_of(english(sentence)) != " ".join(words):
        raise ValueError(
            f"{text!r} is no sentence of this grammar: write one such as 'the small red dog does "
            "not see the birds', or a question such as 'do the kings help the cat ?'"
        )
    return sentence


def _tree(words: list[str], all_words: list[str]) -> Sentence:
    second = words.index("the", 1)
    subject, verb, object_ = words[: second - 1], words[second - 1], words[second:]
    return Sentence(
        _phrase(subject),
        VERBS.index(verb if verb in VERBS else verb.removesuffix("s")),
        _phrase(object_),
        "not" in all_words,
        "?" in all_words,
    )


def _phrase(words: list[str]) -> NounPhrase:
    noun = words[-1]
    adjectives = tuple(ADJECTIVES.index(word) for word in words[1:-1])
    if len(adjectives) > 2 or len(set(adjectives)) != len(adjectives):
        raise ValueError("too many adjectives")
    return NounPhrase(NOUNS.index(noun.removesuffix("s")), noun.endswith("s"), adjectives)


def _english_phrase(which: str, phrase: NounPhrase) -> Iterator[Word]:
    yield Word("the", (which, "article"))
    for place, adjective in enumerate(phrase.adjectives):
        yield Word(ADJECTIVES[adjective], (which, f"adjective {place}"))
    yield Word(NOUNS[phrase.noun] + "s" * phrase.plural, (which, "noun"))


def _velu_phrase(which: str, phrase: NounPhrase, case: str) -> Iterator[Word]:
    yield Word(ARTICLES[case][phrase.form], (which, "article"))
    yield Word(VELU_NOUNS[phrase.noun] + "im" * phrase.plural, (which, "noun"))
    for place, adjective in reversed(list(enumerate(phrase.adjectives))):
        word = VELU_ADJECTIVES[adjective] + ENDINGS[phrase.form]
        yield Word(word, (which, f"adjective {place}"))


def english_words() -> list[str]:
    """Every word of the English side, once."""
    nouns = [noun + ending for noun in NOUNS for ending in ("", "s")]
    verbs = [verb + ending for verb in VERBS for ending in ("", "s")]
    return ["the", "do", "does", "not", "?", *ADJECTIVES, *nouns, *verbs]


def velu_words() -> list[str]:
    """Every word of Velu, once."""
    articles = [article for forms in ARTICLES.values() for article in forms]
    adjectives = [stem + ending for stem in VELU_ADJECTIVES for ending in ENDINGS]
    nouns = [noun + ending for noun in VELU_NOUNS for ending in ("", "im")]
    verbs = [stem + ending for stem in VELU_VERBS for ending in ("et", "ent")]
    return [*articles, "ne", "pa", "ku", *adjectives, *nouns, *verbs]
