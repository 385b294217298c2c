"""Tours are data: every file is whole, every page exists, every step can be done."""

from pathlib import Path

import pytest

from tests.pages.screen import turn

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
            do(at, key, wanted)
        button(at, "Next", "Finish the tour").click().run()


def do(at, key, wanted):
    """What the step asks for, as a reader would: a guess is one of the options on the page."""
    if key.startswith("predict "):
        assert wanted == "any"
        question = at.button_group(key=key)
        question.set_value(question.options[0].replace("\\", "")).run()
        return
    if isinstance(wanted, dict):
        at.session_state[key] = wanted["from"] - 1
        at.run()
        assert button(at, "Next", "Finish the tour").disabled, "too few will do"
        if key == "new":  # counted by a button in the browser
            turn(at, key, "Next token")
            return
        wanted = wanted["from"]
    at.session_state[key] = 3 if wanted == "any" else wanted
    at.run()


def button(at, *labels):
    return next(button for button in at.button if button.label in labels)


def tour_text(at) -> str:
    return " ".join(element.value for element in at.markdown)


@pytest.mark.parametrize("name", TOURS)
def test_a_tour_can_be_walked_to_its_end(visit, name) -> None:
    from pages._ui.controls import NO_TOKEN

    for at, step in walk(visit, name):
        assert not at.exception and not at.error
        assert " ".join(step["text"].split())[:40] in " ".join(tour_text(at).split())
        for key, value in step.get("set", {}).items():
            nothing = NO_TOKEN if "token" in key else None
            assert at.session_state[key] == (nothing if value is None else value), key
    assert not [b for b in at.button if b.label == "Leave the tour"]
    assert not at.exception
    assert "You have walked to the end" in tour_text(at)
    (other,) = set(TOURS) - {name}
    at.button(key=f"start {other}").click().run()
    assert "step 1 of" in tour_text(at) and "to the end" not in tour_text(at)


@pytest.mark.parametrize("name", TOURS)
def test_the_closing_word_goes_with_the_page_or_when_it_is_closed(visit, name) -> None:
    at = [at for at, _ in walk(visit, name)][-1].run()
    assert "You have walked to the end" in tour_text(at)
    closed = at.button(key="tour close").click().run()
    assert "You have walked" not in tour_text(closed)
    at = [at for at, _ in walk(visit, name)][-1]
    at.switch_page("pages/read/tokens.py").run()
    assert not at.exception and "You have walked" not in tour_text(at)


@pytest.mark.parametrize("name", TOURS)
@pytest.mark.parametrize(
    "mine",
    [
        {"model": "mirror", "prompt": "4 5 6 6", "layer": 0, "head": 2, "ask": True, "token": 1},
        {"model": "mirror-no-positions", "prompt": "1 2 3 3 2 1", "layer": 2, "head": 1},
        {},
    ],
)
def test_after_a_tour_all_is_as_it_was_before(visit, name, mine) -> None:
    from pages._ui.controls import NO_TOKEN

    at = visit("pages/start/home.py", **{key: str(value) for key, value in mine.items()})
    at.switch_page("pages/read/attention.py").run()
    names = ("model", "prompt", "ask", "token", "key token", "layer", "head", "step")
    at = at.switch_page("pages/start/home.py").run()
    before = {key: at.session_state[key] for key in names if key in at.session_state}
    at.button(key=f"start {name}").click().run()
    while "Finish the tour" not in [b.label for b in at.button]:
        for key, wanted in steps_of(name)[at.session_state["tour step"]].get("until", {}).items():
            do(at, key, wanted)
        button(at, "Next").click().run()
    at.session_state["ask"] = True
    button(at, "Leave the tour").click().run()
    assert not at.exception
    assert "tour" not in at.session_state and "tour" not in at.query_params
    assert {key: at.session_state[key] for key in before} == before
    assert at.session_state["ask"] == before.get("ask", False)
    at.switch_page("pages/read/attention.py").run()
    assert not at.exception and not at.error
    assert at.selectbox(key="token").value == before.get("token", NO_TOKEN)
    assert at.session_state["step"] == before["step"]


def test_a_prompt_that_was_typed_on_the_way_stays(visit) -> None:
    at = visit("pages/start/home.py")
    at.button(key="start what-a-head-does").click().run()
    at.text_area(key="prompt").set_value("9 8 7 9 8").run()
    button(at, "Leave the tour").click().run()
    assert (at.session_state["model"], at.session_state["prompt"]) == ("induction", "9 8 7 9 8")
    assert at.session_state["ask"] is False


def test_every_widget_that_a_tour_sets_has_a_value_afterwards() -> None:
    from pages._ui.tour import read_tour

    for name in TOURS:
        tour = read_tour(name, 0)
        for step in tour["steps"]:
            for key in [*step.get("set", {}), *step.get("until", {})]:
                free = "token" in key or key.startswith("predict ") or key in ("model", "prompt")
                assert free or key in tour["after"], key


def test_the_url_says_which_step_is_on_screen(visit) -> None:
    """As after the browser's Back, which changes the URL and nothing else."""
    at = visit("pages/start/home.py", tour="text-to-next-token", at="3")
    at.switch_page("pages/read/embeddings.py").run()
    assert at.title[0].value == "Embeddings" and "step 3 of" in tour_text(at)
    at.session_state["token"] = 2
    at.run()
    button(at, "Next").click().run()
    assert "step 4 of" in tour_text(at) and at.query_params["at"] == "4"
    at.query_params["at"] = "2"
    at.run()
    assert "step 2 of" in tour_text(at)
    at.query_params["at"] = "77"
    at.run()
    assert "step 9 of" in tour_text(at) and not at.exception


def test_the_facts_that_the_tours_tell() -> None:
    """The word First is one piece after four merges; from position 10 on the tokens come again."""
    import tfs
    from tfs.tokenizers import replay

    first, second = steps_of("text-to-next-token"), steps_of("what-a-head-does")
    steps = list(replay(first[0]["set"]["prompt"], tfs.load("shakespeare").tokenizer))
    done = [place for place, step in enumerate(steps, 1) if step.after == (b"First",)]
    assert done == [first[1]["until"]["merge"]["from"]]
    tokens = second[0]["set"]["prompt"].split()
    start = second[1]["until"]["token"]["from"]
    assert tokens[start] == "17" and tokens[start:] == tokens[1 : len(tokens) - start + 1]
    model = tfs.load("induction").model
    parts = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert parts == {"embed", "pos_embed", "blocks", "ln_final", "unembed"}
    inside = {name.split(".")[2] for name, _ in model.named_parameters() if "blocks" in name}
    assert inside == {"ln1", "attn"}, "no MLP"


def steps_of(name):
    from pages._ui.tour import read_tour

    return read_tour(name, 0)["steps"]


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
        ("title: x\nsteps: [{page: home, text: y, do: z, until: {a: {above: 3}}}]", "a range"),
        ("title: x\nsteps: [{page: home, text: y, do: z, until: {a: {from: x}}}]", "a range"),
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
    at.session_state["token"] = 11
    at.run()
    button(at, "Next").click().run()
    assert at.session_state["model"] == "induction"
    assert at.session_state["prompt"].startswith("0 17 5")
