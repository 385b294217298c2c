"""Pairs of questions in files as of Quora Question Pairs: columns between tabs, named in line 1.

question1, question2 and is_duplicate are asked, in whatever order they stand; others, such as id,
qid1 and qid2 (as in Quora's file and in GLUE's, Wang et al. 2019), are not.
"""

import csv
import io
from pathlib import Path

from tfs.templates.text_file import text_of

COLUMNS = ("question1", "question2", "is_duplicate")
HEADER = "\t".join(COLUMNS)


def read_qqp(path: str | Path) -> list[tuple[str, str, bool]]:
    """The pairs of a file. Raises ValueError as text_of and qqp_pairs do."""
    return qqp_pairs(text_of(path), str(path))


def qqp_pairs(text: str, name: str) -> list[tuple[str, str, bool]]:
    """Two questions each, and whether they ask the same; `name` is what a refusal calls the file.

    Within "quotes" a question may run over several lines, and "" is one quotation mark; blanks in a
    row become one. Raises ValueError, naming the line, where the header lacks a column, a line has
    too few or too many, or is_duplicate is neither 0 nor 1; and where there is no pair.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    places: tuple[int, ...] | None = None
    pairs, width = [], 0
    try:
        for row in reader:
            if not "".join(row).strip():
                continue
            if places is None:
                places, width = _places(row, name), len(row)
                continue
            pairs.append(_pair(row, places, width, f"{name}, line {reader.line_num}"))
    except csv.Error as error:
        raise ValueError(
            f"{name}, line {reader.line_num}: {error}; write each pair on one line, its columns "
            "between tabs"
        ) from None
    if not pairs:
        raise ValueError(
            f"{name} has no pair; name the columns {', '.join(COLUMNS)} in line 1, with tabs "
            "between them, and give a pair a line"
        )
    return pairs


def _places(header: list[str], name: str) -> tuple[int, ...]:
    """Where each of COLUMNS stands."""
    found = [column.strip() for column in header]
    if missing := [column for column in COLUMNS if column not in found]:
        raise ValueError(
            f"{name}, line 1: there is no column {missing[0]} among {', '.join(found)[:80]}; name "
            f"{', '.join(COLUMNS)} there, with tabs between them"
        )
    return tuple(found.index(column) for column in COLUMNS)


def _pair(row: list[str], places: tuple[int, ...], width: int, place: str) -> tuple[str, str, bool]:
    if len(row) != width:
        raise ValueError(
            f"{place} has {len(row)} columns, and the header has {width}; look for a tab or a "
            'quotation mark too many (a question that begins with " ends with one)'
        )
    one, other, same = (row[at].strip() for at in places)
    if "\t" in one + other:  # of a quotation mark that ended rows later, in another question
        raise ValueError(
            f"{place} ends a question that has a tab in it; look for a quotation mark too many "
            '(a question that begins with " ends with one)'
        )
    if same not in ("0", "1"):
        raise ValueError(
            f"{place}: is_duplicate is {same[:40]!r}; write 1 where the questions ask the same, 0 "
            "where they do not"
        )
    return " ".join(one.split()), " ".join(other.split()), same == "1"
