"""Sentences with named entities in files as of the CoNLL-2003 shared task.

Tjong Kim Sang and De Meulder 2003: a word a line, its tag in the last column, a blank line after
each sentence. Columns in between (there: part of speech and chunk) are not asked.

    U.N. NNP I-NP I-ORG
    official NN I-NP O
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfs.templates.spans import entity_spans
from tfs.templates.text_file import text_of

DOCUMENT = "-DOCSTART-"
Words = list[str]
Tags = list[str]


def read_conll(path: str | Path) -> list[tuple[Words, Tags]]:
    """The sentences of a file. Raises ValueError as text_of and conll_sentences do."""
    return conll_sentences(text_of(path), str(path))


def conll_sentences(text: str, name: str) -> list[tuple[Words, Tags]]:
    """The words of each sentence and their tags, in IOB2; `name` is what a refusal calls the file.

    Raises ValueError, naming the line, where a word has no tag, a line other columns than the
    first, or a tag is none; and where there is no sentence.
    """
    sentences: list[tuple[Words, Tags]] = []
    words: Words = []
    tags: Tags = []
    for word, tag in [*_words_and_tags(text, name), ("", "")]:
        if word:
            words.append(word)
            tags.append(tag)
        elif words:
            sentences.append((words, in_iob2(tags)))
            words, tags = [], []
    if not sentences:
        raise ValueError(
            f"{name} has no sentence; write a word and its tag on each line, and a blank line "
            "after each sentence"
        )
    return sentences


def in_iob2(tags: Sequence[str]) -> Tags:
    """The same entities with B- at the first word of each, I- at the others.

    In IOB1 (Ramshaw and Marcus 1995) a B- stands only where an entity follows one of its kind
    directly, and others begin with I-. Read as entities the two say the same. Raises ValueError for
    a tag that is neither O nor B- or I- with a kind.
    """
    written = ["O"] * len(tags)
    for kind, start, end in entity_spans(tags):
        written[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return written


def _words_and_tags(text: str, name: str) -> Iterator[tuple[str, str]]:
    """(word, tag) of each line that has them, ("", "") where a sentence ends."""
    columns, first = 0, 0  # how many, and which line said so
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        parts = re.split(r"\t" if "\t" in line else r" +", line.strip(" \t"))
        if parts == [""] or parts[0] == DOCUMENT:
            yield "", ""
            continue
        place = f"{name}, line {number}"
        if len(parts) < 2 or not parts[0] or not parts[-1]:
            raise ValueError(
                f"{place}: {line.strip()[:40]!r} has no tag; write the word, a blank or a tab, and "
                "last its tag, such as O or B-PER"
            )
        if len(parts) != (columns or len(parts)):
            raise ValueError(
                f"{place} has {len(parts)} columns, and line {first} has {columns}; give each line "
                "as many, the word first and its tag last"
            )
        columns, first = len(parts), first or number
        try:
            entity_spans(parts[-1:])
        except ValueError as error:
            raise ValueError(f"{place}: {error}; the tag is what stands last") from None
        yield parts[0], parts[-1]
