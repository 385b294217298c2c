"""Texts in, texts out."""

import doctest

import pytest


def test_the_example_in_the_docstring() -> None:
    import tfs
    from tfs import translate

    results = doctest.testmod(translate, extraglobs={"tfs": tfs})
    assert results.attempted == 2 and not results.failed


def test_texts_of_any_length_are_written_together_as_alone() -> None:
    import tfs
    from tfs.translate import translate

    bundle = tfs.load("numbers")
    texts = ["seven", "twelve thousand and five", "ninety-nine thousand nine hundred"]
    for beams in (1, 4):
        alone = [translate(bundle.model, bundle.tokenizer, [text], beams)[0] for text in texts]
        assert translate(bundle.model, bundle.tokenizer, texts, beams) == alone
    assert alone == ["7", "12005", "99900"]


@pytest.mark.parametrize(
    ("text", "says"), [("", "0 tokens"), ("1994-03-07 " * 4, "44 tokens"), ("Ä", "Ä")]
)
def test_a_text_that_cannot_be_read_is_named(text, says) -> None:
    import tfs
    from tfs.translate import translate

    bundle = tfs.load("dates")
    with pytest.raises(ValueError, match=says):
        translate(bundle.model, bundle.tokenizer, ["May 5, 2011", text])
