"""The page of bugs: two forms, a live symptom with its check, and a blind diagnosis."""

import pytest

from tests.pages.screen import as_tensor, drawn, said

PAGE = "pages/build/bugs.py"
FORMS = ("broken", "fixed")


@pytest.mark.parametrize("form", FORMS)
def test_the_symptom_is_drawn_and_the_check_runs_on_the_form_that_is_chosen(visit, form) -> None:
    from tfs.bugs import BUGS

    bug = next(bug for bug in BUGS if bug.name == "Softmax over the wrong axis")
    at = visit(PAGE, bug=bug.name, form=form)
    assert not at.exception
    assert bug.story in said(at)
    shown = as_tensor(drawn(at, "symptom")["data"][0]["x"])
    assert shown.allclose(bug.symptom(getattr(bug, form)).values, atol=1e-5)
    verdicts = [element.value for element in (at.warning if form == "broken" else at.success)]
    assert len(verdicts) == 1 and ("fails" if form == "broken" else "passes") in verdicts[0]


def test_the_line_that_differs_is_marked_in_both_forms(visit) -> None:
    at = visit(PAGE, bug="No mask at all")
    broken, fixed = (code.value.splitlines() for code in at.code[:2])
    marked = [n for n, line in enumerate(broken) if "# <-- broken" in line]
    assert marked == [n for n, line in enumerate(fixed) if "# <-- fixed" in line]
    assert marked == [n for n in range(len(fixed)) if broken[n] != fixed[n]]


def test_a_blind_diagnosis_counts_tries_and_shows_the_line_at_the_end(visit) -> None:
    from tfs.bugs import BUGS, hidden_bug

    at = visit(PAGE, blind="true", case="7")
    bug = hidden_bug(7)
    wrong = next(other for other in BUGS if other.name != bug.name)
    assert bug.name not in said(at) and not at.code
    at.selectbox(key="guess 7").set_value(wrong.name).run()
    next(button for button in at.button if button.label == "Diagnose").click().run()
    assert "1 try so far" in at.info[0].value and not at.code
    at.selectbox(key="guess 7").set_value(bug.name).run()
    next(button for button in at.button if button.label == "Diagnose").click().run()
    assert not at.exception
    assert "Right after 2 tries" in at.success[0].value
    assert "# <-- broken" in at.code[0].value


def diagnose(at, case: int, name: str):
    at.selectbox(key=f"guess {case}").set_value(name).run()
    return next(button for button in at.button if button.label == "Diagnose").click().run()


def test_the_hint_names_a_reading_that_tells_the_guess_from_the_case(visit) -> None:
    from tfs.bugs import hidden_bug

    case = next(n for n in range(1, 21) if hidden_bug(n).name == "Embeddings not scaled")
    at = diagnose(visit(PAGE, blind="true", case=str(case)), case, "No warm-up")
    assert not at.exception
    assert [each.value for each in at.info] == [r"“No warm\-up” is not it; 1 try so far."]
    assert "With that fault the reading *Learning rate* would look otherwise" in said(at)


def test_where_no_reading_differs_the_hint_says_so(visit, monkeypatch) -> None:
    from tfs.bugs import hidden_bug, hints

    monkeypatch.setattr(hints, "PLAIN", 2.0)
    wrong = "No warm-up" if hidden_bug(1).name != "No warm-up" else "Mask transposed"
    at = diagnose(visit(PAGE, blind="true", case="1"), 1, wrong)
    assert "No reading tells it plainly from this case" in said(at)


def test_the_same_guess_is_one_try_and_what_is_solved_stays_solved(visit) -> None:
    from tfs.bugs import BUGS, hidden_bug

    bug = hidden_bug(7)
    first, second = [other.name for other in BUGS if other.name != bug.name][:2]
    at = visit(PAGE, blind="true", case="7")
    for name in (first, first, first, second, first):
        at = diagnose(at, 7, name)
    assert f"“{first}” is not it; 2 tries so far" in at.info[0].value
    at = diagnose(at, 7, bug.name)
    assert "Right after 3 tries" in at.success[0].value
    at.selectbox(key="guess 7").set_value(second).run()
    assert not at.exception
    assert "Right after 3 tries" in at.success[0].value and bug.story in said(at)
    assert next(button for button in at.button if button.label == "Diagnose").disabled
    next(button for button in at.button if button.label == "Next case").click().run()
    assert not at.success and "No try yet." in said(at)


@pytest.mark.parametrize(
    ("bug", "told"),
    [
        ("Softmax twice", '"Repeats what it read" is as sure of the token just read'),
        ("Epsilon outside the square root", "that are finite"),
        ("Heads read slices", "the first head of the first block"),
        ("Mask transposed", "the first head of the first block"),
    ],
)
def test_a_reading_is_explained_beside_a_bug_and_in_a_case(visit, bug, told) -> None:
    from tfs.bugs import BUGS

    reading = next(each for each in BUGS if each.name == bug).reading
    assert told in said(visit(PAGE, bug=bug)).replace("\n", " ")
    at = visit(PAGE, blind="true", case="7")
    at.pills(key="asked").set_value([reading]).run()
    assert told in said(at).replace("\n", " ")


def test_the_floor_can_be_computed_from_its_caption(visit) -> None:
    import re
    from math import log

    text = said(visit(PAGE, bug="Target not shifted"))
    lengths = [int(n) for n in re.search(r"(\d+) to (\d+) tokens", text).groups()]
    values = int(re.search(r"each among (\d+) values", text)[1])
    guessed = int(re.search(r"The first (\d+) can only be guessed", text)[1])
    questions = sum(range(lengths[0], lengths[1] + 1)) / (lengths[1] - lengths[0] + 1) - 1
    assert f"leaves {questions:g} questions" in text
    assert f"The honest floor, {guessed * log(values) / questions:.3f}," in text


def test_readings_are_shown_of_the_case_and_of_a_healthy_lab(visit) -> None:
    from tfs.bugs import hidden_bug

    at = visit(PAGE, blind="true", case="7")
    at.pills(key="asked").set_value(["Weights", "What it writes"]).run()
    assert not at.exception
    for reading in ("Weights", "What it writes"):
        assert drawn(at, f"case {reading}") and drawn(at, f"healthy {reading}")
    assert hidden_bug(7).name not in said(at)


def test_the_forms_of_a_bug_stand_on_one_axis_in_whole_numbers(visit) -> None:
    name = "One feed-forward network for all blocks"
    shown = {form: drawn(visit(PAGE, bug=name, form=form), "symptom") for form in FORMS}
    ends = [figure["layout"]["xaxis"]["range"] for figure in shown.values()]
    assert ends[0] == ends[1] and ends[0][1] > 17088
    texts = {form: set(figure["data"][0]["text"]) for form, figure in shown.items()}
    assert texts == {"broken": {"12,992"}, "fixed": {"17,088"}}


def test_a_case_and_a_healthy_lab_share_their_axis_and_the_floor_is_explained(visit) -> None:
    from tfs.bugs.lab import floor

    at = visit(PAGE, blind="true", case="1")
    case, healthy = (drawn(at, f"{who} Loss while training") for who in ("case", "healthy"))
    assert case["layout"]["yaxis"]["range"] == healthy["layout"]["yaxis"]["range"]
    lows = [as_tensor(figure["data"][0]["y"]).min() for figure in (case, healthy)]
    assert case["layout"]["yaxis"]["range"][0] < min(lows)
    assert f"The honest floor, {floor():.3f}, is the lowest mean loss" in said(at)
    at.pills(key="asked").set_value(["Weights"]).run()
    assert "honest floor" not in said(at)


def test_the_verdict_does_not_say_that_a_broken_form_does_what_the_check_asks(visit) -> None:
    at = visit(PAGE, bug="Heads read slices", form="broken")
    assert at.warning[0].value.startswith("The broken form fails. The check: Each head's output")
