"""Tours are data: every file is whole, every page exists, every step can be done."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOURS = sorted(path.stem for path in ROOT.glob("assets/tours/*.yaml"))


def walk(visit, name):
    """Start a tour from the home page; yields (page as AppTest, step) at every step."""
    from pages._ui.tour import read_tour

    steps = read_tour(name, 0)["steps"]
    at = visit("pages/start/home.py")
    at.button(key=f"start {name}").click().run()
    for step in steps:
        yield at, step
        for key, wanted in step.get("until", {}).items():
            assert button(at, "Next", "Finish the tour").disabled, "the step asks for nothing"
            at.session_state[key] = DONE.get(key, wanted) if wanted == "any" else wanted
            at.run()
        button(at, "Next", "Finish the tour").click().run()


DONE = {"token": 3, "predict head": "L0H0"}


def button(at, *labels):
    return next(button for button in at.button if button.label in labels)


def tour_text(at) -> str:
    return " ".join(element.value for element in at.markdown)


@pytest.mark.parametrize("name", TOURS)
def test_a_tour_can_be_walked_to_its_end(visit, name) -> None:
    for at, step in walk(visit, name):
        assert not at.exception and not at.error
        assert " ".join(step["text"].split())[:40] in " ".join(tour_text(at).split())
        for key, value in step.get("set", {}).items():
            if value is not None:
                assert at.session_state[key] == value
    assert not [b for b in at.button if b.label == "Leave the tour"]
    assert not at.exception


def test_a_step_of_a_tour_is_in_the_url_and_comes_back(visit) -> None:
    at = visit("pages/start/home.py", tour="text-to-next-token", at="2")
    assert "step 2 of" in tour_text(at)
    button(at, "Leave the tour").click().run()
    assert "step 2 of" not in tour_text(at)


@pytest.mark.parametrize(
    "query", [{"tour": "nothing"}, {"tour": TOURS[0], "at": "99"}, {"at": "x"}]
)
def test_a_link_to_no_step_is_harmless(visit, query) -> None:
    at = visit("pages/start/home.py", **query)
    assert not at.exception and not at.error


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title: [", "is not YAML"),
        ("title: x", "needs a title, and steps"),
        ("title: x\nsteps: [{page: home}]", "step 1"),
        ("title: x\nsteps: [{page: home, text: y, so: z}]", "step 1"),
        ("title: x\nsteps: [{page: home, text: y, do: z}]", "belong together"),
        ("title: x\nsteps: [{page: nowhere, text: y}]", "no page nowhere"),
        ("just words", "needs a title"),
    ],
)
def test_a_tour_that_is_wrong_says_where(tmp_path, monkeypatch, text, says) -> None:
    from pages._ui import tour

    monkeypatch.setattr(tour, "TOURS", tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        tour.read_tour.__wrapped__("mine", 0)
    assert "mine.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_tour_gives_the_readers_own_prompt_back(visit) -> None:
    at = visit("pages/start/home.py", model="mirror", prompt="1 2 3 3 2 1")
    at.button(key="start text-to-next-token").click().run()
    assert at.session_state["model"] == "shakespeare"
    button(at, "Leave the tour").click().run()
    assert (at.session_state["model"], at.session_state["prompt"]) == ("mirror", "1 2 3 3 2 1")


def test_a_step_brings_back_the_model_that_it_speaks_of(visit) -> None:
    at = visit("pages/start/home.py", tour="what-a-head-does", at="2")
    assert at.session_state["model"] == "induction"
    at.selectbox(key="model").set_value("mirror").run()
    at.session_state["token"] = 3
    at.run()
    button(at, "Next").click().run()
    assert at.session_state["model"] == "induction"
    assert at.session_state["prompt"].startswith("0 17 5")
