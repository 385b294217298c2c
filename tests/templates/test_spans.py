"""Entities found, missed and made up."""

import pytest


@pytest.fixture(scope="module")
def t():
    from tfs.templates import spans

    return spans


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-PER", [("PER", 0, 1)]),
        ("O B-PER I-PER O B-LOC", [("PER", 1, 3), ("LOC", 4, 5)]),
        ("B-PER B-PER I-PER", [("PER", 0, 1), ("PER", 1, 3)]),
        ("I-PER I-PER", [("PER", 0, 2)]),
        ("O I-LOC O I-LOC", [("LOC", 1, 2), ("LOC", 3, 4)]),
        ("B-PER I-LOC I-LOC I-PER", [("PER", 0, 1), ("LOC", 1, 3), ("PER", 3, 4)]),
    ],
)
def test_spans_of_tags(t, tags, spans) -> None:
    assert t.entity_spans(tags.split()) == spans


@pytest.mark.parametrize("tag", ["X-PER", "B", "B-", "PER", ""])
def test_what_is_no_tag(t, tag) -> None:
    with pytest.raises(ValueError, match="a tag must be O, B-KIND or I-KIND"):
        t.entity_spans(["O", tag])


@pytest.mark.parametrize(
    ("said", "true", "scores"),
    [
        (["B-PER I-PER O"], ["B-PER I-PER O"], (1, 1, 1)),
        (["B-PER O O"], ["B-PER I-PER O"], (0, 0, 0)),  # a wrong end is wrong altogether
        (["B-LOC I-LOC O"], ["B-PER I-PER O"], (0, 0, 0)),
        (["O O O"], ["B-PER I-PER O"], (0, 0, 0)),
        (["O O O"], ["O O O"], (0, 0, 0)),
        (["I-PER O B-LOC"], ["B-PER O O"], (1 / 2, 1, 2 / 3)),
        (["B-PER O", "O B-LOC", "O O"], ["B-PER O", "O B-LOC", "B-ORG B-ORG"], (1, 1 / 2, 2 / 3)),
    ],
)
def test_scores_of_whole_entities(t, said, true, scores) -> None:
    split = [[tags.split() for tags in rows] for rows in (said, true)]
    assert t.span_scores(*split) == pytest.approx(scores)


def test_scores_of_some_kinds(t) -> None:
    said, true = [["B-PER", "B-LOC", "O"]], [["B-PER", "O", "B-LOC"]]
    assert t.span_scores(said, true, ["PER"]) == (1, 1, 1)
    assert t.span_scores(said, true, ["LOC"]) == (0, 0, 0)
    assert t.span_scores(said, true, ["PER", "LOC"]) == (0.5, 0.5, 0.5)
    assert t.span_scores(said, true) == (0.5, 0.5, 0.5)


def test_rows_that_do_not_match(t) -> None:
    with pytest.raises(ValueError, match="2 tags in one and 1 in another"):
        t.span_scores([["O", "O"]], [["O"]])
    with pytest.raises(ValueError):
        t.span_scores([["O"], ["O"]], [["O"]])
