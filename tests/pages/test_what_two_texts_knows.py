"""Two texts: what can be typed, what is refused, and what a model is said to have learned."""

import pytest

from tests.pages.screen import header, messages, said

PAGE = "pages/read/translation.py"


def test_marks_that_are_typed_are_read_as_marks(visit) -> None:
    at = visit(PAGE, pair="dates")
    at.text_input(key="text for dates").set_value("<s>").run()
    assert not at.exception and not messages(at)
    assert header(at, "cross")["columns"]["labels"] == ["<s>"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("dates", "", "nothing to read"),
        ("dates", "   ", "nothing to read"),
        ("dates", "the 7th of March, 1994, of March", "reads at most 28"),
        ("dates", "März 7", "ä"),
        ("grammar", "the dog eats", "eats"),
    ],
)
def test_a_text_that_cannot_be_read_gets_one_sentence(visit, name, text, says) -> None:
    at = visit(PAGE, pair=name)
    at.text_input(key=f"text for {name}").set_value(text).run()
    assert not at.exception and len(messages(at)) == 1
    assert says in messages(at)[0].replace("\\", "") and "\n" not in messages(at)[0]


@pytest.mark.parametrize(
    ("name", "text", "strange", "known"),
    [
        ("dates", "7/3/94", "“/”", "0123456789"),
        ("numbers", "Zürich", "“Z”, “ü”", "adefghi"),
        ("grammar", "the whale sees lo dog", "“whale”", "horse"),
    ],
)
def test_what_the_model_does_not_know_is_named_with_what_it_does(
    visit, name, text, strange, known
) -> None:
    at = visit(PAGE, pair=name, **{f"text for {name}": text})
    assert not at.exception
    (sentence,) = (element.value.replace("\\", "") for element in at.error)
    assert sentence.startswith(f"{name} does not know {strange}")
    assert known in sentence and "Tokenizer" not in sentence


def test_a_text_too_long_is_told_and_not_passed_over(visit) -> None:
    at = visit(PAGE, pair="dates", **{"text for dates": "1" * 300})
    (sentence,) = (element.value.replace("\\", "") for element in at.error)
    assert sentence.startswith("The text has 300 characters, more than the 200 that are read here")
    assert not at.text_input(key="text for dates").proto.max_chars


def test_an_invented_language_is_called_one_and_characters_are_listed(visit) -> None:
    from tfs.tasks.two_languages import english_words

    at = visit(PAGE, pair="grammar")
    assert f"It reads {len(english_words())} English words, and writes Velu." in said(at)
    assert "a language invented for this task" in said(at)
    at = visit(PAGE, pair="dates")
    assert "It reads up to 28 characters, of these:" in said(at)


@pytest.mark.parametrize("name", ["dates", "numbers", "grammar"])
def test_the_forms_that_a_model_has_learned_are_said_and_are_read_well(
    visit, decoded, name
) -> None:
    from tfs.tasks.dates import STYLES
    from tfs.tasks.grammar import GrammarTask

    def writes(name, text):
        tokenizer, _, ids, _ = decoded(name, text)
        return tokenizer.plain(ids)

    at = visit(PAGE, pair=name)
    (caption,) = (each.value for each in at.caption if "It was trained on" in each.value)
    caption = caption.replace("\\", "")
    assert "Its answer to anything else" in caption and "means nothing" in caption
    forms = (
        caption.split("It was trained on")[1]
        .split(": ", 1)[-1]
        .split(". Its answer")[0]
        .split("; ")
    )
    if name == "dates":
        assert len(forms) == len(set(forms)) == len(STYLES) == 12
        for form in forms:
            assert writes(name, form) == "1994-03-07"
    elif name == "grammar":
        assert len(forms) == len(set(forms)) == 4
        for form in forms:
            assert writes(name, form) == GrammarTask().translate(form)
    else:
        example = caption.split("“")[1].split("”")[0]
        assert "numbers below 100,000 in" in caption and writes(name, example) == "12500"
