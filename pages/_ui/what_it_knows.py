"""What a model of texts has learned to read: which language, which words or characters, how long.

A model that knows a few words only looks like one that knows a language, until it is asked.
"""

import datetime
from itertools import product

import streamlit as st

from pages._ui import state
from pages._ui.layout import literal
from tfs.tasks.dates import FIRST_DAY, LAST_DAY, STYLES, DatesTask, written
from tfs.tasks.grammar import GrammarTask
from tfs.tasks.masked import MaskedWordsTask
from tfs.tasks.numbers import NumbersTask, in_words
from tfs.tasks.tags import TagsTask
from tfs.tasks.two_languages import (
    NounPhrase,
    Sentence,
    english,
    english_words,
    text_of,
    velu_words,
)
from tfs.templates.entities import TEMPLATES
from tfs.tokenizers import CharTokenizer, MarkedTokenizer, Tokenizer, WordTokenizer
from tfs.train.recipe import read_recipe

FEW = 10  # words that stand for all that a model knows
ENTITIES = {"PER": "a person", "LOC": "a place", "ORG": "an organisation", "DATE": "a date"}
VELU = (
    "**Velu** is a language invented for this task: adjectives stand behind their noun, the object "
    "before the verb, and articles and adjectives follow the noun's gender."
)


def _forms_of_dates(_name: str) -> str:
    day = datetime.date(1994, 3, 7)
    forms = "; ".join(written(day, style) for style in STYLES)
    return (
        f"It was trained on {len(STYLES)} forms of a date, from {FIRST_DAY.year} to "
        f"{LAST_DAY.year}: {literal(forms)}. Its answer to anything else means nothing, however "
        "sure it looks."
    )


@st.cache_data(show_spinner=False, max_entries=256)
def _forms_of_numbers(name: str) -> str:
    directory = state.directory_of(name)
    limit = read_recipe(directory).make_task(directory).limit
    return (
        f"It was trained on whole numbers below {limit:,} in English words, such as "
        f"“{in_words(limit // 8)}”. Its answer to anything else means nothing, however sure it "
        "looks."
    )


def _forms_of_sentences(_name: str) -> str:
    dog, birds = NounPhrase(0, False, (0, 4)), NounPhrase(2, True, ())
    forms = (Sentence(dog, 0, birds, *how) for how in product((False, True), repeat=2))
    listed = "; ".join(text_of(english(form)) for form in forms)
    return (
        "It was trained on whole sentences alone, in these four forms, with none to two adjectives "
        f"before a noun: {literal(listed)}. Its answer to anything else, such as a noun by itself, "
        "means nothing, however sure it looks."
    )


FORMS = {  # what each task of two texts has shown, so that no reader takes more for known
    DatesTask.name: _forms_of_dates,
    NumbersTask.name: _forms_of_numbers,
    GrammarTask.name: _forms_of_sentences,
}


@st.cache_data(show_spinner=False, max_entries=256)
def task_of(name: str) -> str:
    """What a bundled model or a run was trained on; "" where it does not say."""
    try:
        return read_recipe(state.directory_of(name)).task
    except ValueError:
        return ""


def say_what_it_knows(name: str, tokenizer: Tokenizer, n_ctx: int) -> None:
    """One caption below the text: what this model can read, and what of it is invented."""
    task, inner = task_of(name), getattr(tokenizer, "inner", tokenizer)
    learned = FORMS[task](name) if task in FORMS else ""
    if task == GrammarTask.name:
        said = f"It reads {len(english_words())} English words, and writes Velu. {VELU} {learned}"
    elif task == MaskedWordsTask.name:
        said = f"These words are Velu, and it knows {len(velu_words())} of them. {VELU}"
    elif isinstance(inner, CharTokenizer):
        said = f"It reads up to {n_ctx} characters, of these: {literal(_characters(inner))}. "
        said += learned
    elif task == TagsTask.name:
        example = literal(" ".join(TEMPLATES[0]))
        said = (
            f"It has learned from {len(TEMPLATES)} patterns of sentences, such as “{example}”, "
            "filled with made-up names. It puts a tag on every other sentence too, and a high "
            "probability there is no sign that the tag is right."
        )
    else:
        return
    st.caption(said.rstrip())


def say_what_is_strange(name: str, words: list[str]) -> None:
    """A warning where a text has words that no sentence of the training on templates had."""
    if task_of(name) != TagsTask.name:
        return
    known = {word.lower() for template in TEMPLATES for word in template}
    strange = [word for word in dict.fromkeys(words) if word.islower() and word not in known]
    if strange:
        listed = ", ".join(f"“{literal(word[:40])}”" for word in strange[:FEW])
        st.warning(
            f"No sentence that this model has learned from holds {listed}. Its tags for this text "
            "are guesses, however sure they look."
        )


def say_what_tags_mean(labels: list[str]) -> None:
    """A key to labels such as B-PER, of the kinds that this model has."""
    kinds = [kind for kind in ENTITIES if f"B-{kind}" in labels]
    if not kinds:
        return
    named = ", ".join(f"**{kind}** {ENTITIES[kind]}" for kind in kinds)
    st.caption(
        f"{named}. **B-** is the first word of one, **I-** each word that goes on with it, and "
        "**O** a word outside of any."
    )


def check_is_known(name: str, tokenizer: Tokenizer, text: str, most: int) -> None:
    """Raises ValueError, in plain words, for a text too long or with what no token stands for."""
    if len(text) > most:
        raise ValueError(
            f"The text has {len(text):,} characters, more than the {most} that are read here; "
            "shorten it."
        )
    if not isinstance(tokenizer, MarkedTokenizer) or tokenizer.unknown is not None:
        return
    inner = tokenizer.inner
    for mark in tokenizer.marks:
        text = text.replace(mark, " " if isinstance(inner, WordTokenizer) else "")
    if isinstance(inner, CharTokenizer):
        if strange := [char for char in dict.fromkeys(text) if char not in inner.id_of]:
            raise ValueError(
                f"{name} does not know {_listed(strange)}: write it another way. It reads only "
                f"these characters: {_characters(inner)}."
            )
    elif isinstance(inner, WordTokenizer):
        if strange := [w for w in dict.fromkeys(text.split()) if w not in inner.id_of]:
            raise ValueError(
                f"{name} does not know {_listed(strange)}. Some of the words that it knows: "
                f"{_some_words(name, inner)}."
            )


def _listed(strange: list[str]) -> str:
    return ", ".join(f"“{each[:40]}”" for each in strange[:FEW])


def _some_words(name: str, inner: WordTokenizer) -> str:
    """A few from all over the list; of a translator's, from the language that it reads."""
    words = english_words() if task_of(name) == GrammarTask.name else inner.vocab
    return ", ".join(words[:: max(1, len(words) // FEW)][:FEW])


def _characters(inner: CharTokenizer) -> str:
    """All of them without gaps, the blank by its name."""
    blank = " and the blank" if " " in inner.id_of else ""
    return "".join(sorted(char for char in inner.vocab if char != " ")) + blank
