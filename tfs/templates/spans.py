"""Entities in a row of tags, and how many of them were found.

A tag is B-PER at the first word of an entity of kind PER, I-PER at its further words, O outside
(Ramshaw and Marcus 1995, as IOB2). Scores count whole entities: one with a wrong end is both a
false alarm and a miss (Tjong Kim Sang and De Meulder 2003, the CoNLL-2003 shared task).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """The words start ... end - 1 are one entity of this kind."""

    kind: str
    start: int
    end: int


class SpanScores(NamedTuple):
    """Of the entities that were said, and of those that are there, the share that is right."""

    precision: float
    recall: float
    f1: float


def entity_spans(tags: Sequence[str]) -> list[Span]:
    """The entities of one sentence, from left to right.

    An I- that follows no word of its own kind begins an entity, as in CoNLL's script. Raises
    ValueError for a tag that is neither O nor B- or I- with a kind.
    """
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if tag == "O":
            continue
        if prefix not in ("B", "I") or not kind:
            raise ValueError(f"a tag must be O, B-KIND or I-KIND, not {tag!r}")
        goes_on = prefix == "I" and spans and (spans[-1].kind, spans[-1].end) == (kind, place)
        if goes_on:
            spans[-1] = spans[-1]._replace(end=place + 1)
        else:
            spans.append(Span(kind, place, place + 1))
    return spans


def span_scores(
    said: Iterable[Sequence[str]],
    true: Iterable[Sequence[str]],
    kinds: Sequence[str] | None = None,
) -> SpanScores:
    """Precision, recall and F1 over all sentences together, of some kinds of entities or of all.

    A span counts as right where kind, start and end are. A share of nothing is 0. Raises ValueError
    unless both have as many sentences, and each as many tags in both.
    """
    n_said = n_true = n_right = 0
    for ours, theirs in zip(said, true, strict=True):
        if len(ours) != len(theirs):
            raise ValueError(f"a sentence has {len(ours)} tags in one and {len(theirs)} in another")
        found, there = (
            {span for span in entity_spans(tags) if kinds is None or span.kind in kinds}
            for tags in (ours, theirs)
        )
        n_said += len(found)
        n_true += len(there)
        n_right += len(found & there)
    precision, recall = n_right / max(n_said, 1), n_right / max(n_true, 1)
    return SpanScores(precision, recall, 2 * n_right / max(n_said + n_true, 1))
