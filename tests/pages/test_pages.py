"""Every page, every bundled checkpoint: no exception, true numbers, mistakes in one sentence."""

from pathlib import Path

import pytest

from tests.pages.screen import SECONDS, messages, pictures

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.glob("pages/*/*.py") if path.parent.name != "_ui"
)
WITHOUT_FIGURES = ("pages/train/runs.py", "pages/train/experiments.py")
WITHOUT_A_MODEL = (
    "pages/train/live.py",
    "pages/build/bugs.py",
    "pages/read/translation.py",
    "pages/read/both_ways.py",
    "pages/numpy_up/layers.py",
    "pages/numpy_up/digits.py",
    "pages/numpy_up/word_vectors.py",
    "pages/numpy_up/autograd.py",
    "pages/numpy_up/numpy_transformer.py",
    *WITHOUT_FIGURES,
)
NEED_A_PROMPT = [page for page in PAGES if page not in WITHOUT_A_MODEL]
CHECKPOINTS = ["induction", "induction-4-heads", "mirror", "mirror-no-positions", "shakespeare"]


@pytest.mark.parametrize("model", CHECKPOINTS)
@pytest.mark.parametrize("page", PAGES)
def test_opens_with_every_checkpoint(visit, page, model) -> None:
    at = visit(page, model=model)
    assert not at.exception
    assert not at.error
    assert at.session_state["model"] == model
    assert at.title[0].value
    assert pictures(at) or page in WITHOUT_FIGURES
    for chart in at.get("plotly_chart"):
        assert chart.proto.alt


def test_the_checkpoints_of_these_tests_are_those_that_are_bundled() -> None:
    from tfs.train.checkpoint import bundled_names

    assert bundled_names("decoder-only") == CHECKPOINTS


@pytest.mark.parametrize("page", NEED_A_PROMPT)
@pytest.mark.parametrize(
    ("model", "prompt", "says"),
    [
        ("mirror", "   ", "empty"),
        ("mirror", "1 2 three", "three"),
        ("mirror", "1 2 100", "100"),
        ("mirror", "1 " * 17, "17 tokens"),
        ("shakespeare", "word " * 190, "at most 128"),
        ("mirror", "🎭", "🎭"),
    ],
)
def test_a_prompt_that_does_not_fit_gets_one_sentence(visit, page, model, prompt, says) -> None:
    at = visit(page, model=model, prompt=prompt)
    assert not at.exception
    assert len(messages(at)) == 1 and says in messages(at)[0]
    assert "\n" not in messages(at)[0]


@pytest.mark.parametrize("page", NEED_A_PROMPT)
@pytest.mark.parametrize(
    "prompt",
    [
        "x",
        "🎭 naïve 漢字",
        "שלום עולם",
        "<b>bold</b><img src=x onerror=alert(1)>",
        "a\nb\n\n c",
        "% & = # ?",
    ],
)
def test_any_text_can_be_read_by_a_byte_level_model(visit, page, prompt) -> None:
    at = visit(page, model="shakespeare", prompt=prompt)
    assert not at.exception
    assert not at.error
    assert pictures(at)


@pytest.mark.parametrize(
    "query",
    [{"model": "evil"}, {"model": "../../etc"}, {"layer": "99"}, {"head": "-1"}, {"step": "zz"}],
)
def test_a_url_that_asks_for_nonsense_gets_the_default(visit, query) -> None:
    at = visit("pages/read/attention.py", **query)
    assert not at.exception and not at.error
    assert at.session_state["model"] in CHECKPOINTS
    assert pictures(at)


def test_a_dead_link_says_so_until_a_model_is_chosen(visit) -> None:
    at = visit("pages/start/home.py", model="run-0000000000000000")
    assert len(at.warning) == 1 and "run\\-0000000000000000" in at.warning[0].value
    assert "**shakespeare**" in at.warning[0].value
    at.run()
    assert at.warning, "a second run of the script, as any click makes, forgets it"
    at.selectbox(key="model").set_value("mirror").run()
    assert not at.warning and not at.exception


@pytest.mark.parametrize("name", ["run-0000000000000000", "nonsense", "../../etc"])
def test_a_link_to_a_training_that_is_not_here_says_so(visit, name) -> None:
    at = visit("pages/start/home.py")
    at.query_params["run"] = name
    at.switch_page("pages/train/live.py").run()
    assert not at.exception
    assert len(at.warning) == 1 and "no training" in at.warning[0].value
    next(button for button in at.button if button.label == "Train").click().run()
    assert not at.warning


def test_a_run_without_a_recipe_can_still_be_opened(visit, tmp_path) -> None:
    import tfs

    name = "run-0123456789abcdef"
    tfs.save(tfs.load("mirror"), tmp_path / name)
    at = visit("pages/start/home.py")
    at.query_params["run"] = name
    at.switch_page("pages/train/live.py").run()
    assert len(at.warning) == 1 and "not known here" in at.warning[0].value
    next(button for button in at.button if button.label == "Open what it learned").click().run()
    assert at.title[0].value == "Attention" and at.session_state["model"] == name
    assert not at.warning and not at.exception


def button(at, label):
    return next(button for button in at.button if button.label == label)


@pytest.mark.slow
def test_a_training_that_a_killed_server_left_is_resumed_from_its_link(visit, tmp_path) -> None:
    """The files of a run that was cut off at its last save, and a server that has just begun."""
    import json
    import time

    from pages._ui import state

    at = visit("pages/train/live.py")
    at.number_input(key="steps of mirror").set_value(300).run()
    button(at, "Train").click().run()
    name, key = at.session_state["run"], at.session_state["owner"]
    job, status = state.run_library().job(name), tmp_path / name / "status.json"
    while job.status().step < 5:
        time.sleep(0.01)
    job.stop()
    job.thread.join(20)
    step = job.status().step
    status.write_text(json.dumps(json.loads(status.read_text()) | {"state": "running"}))
    state.run_library().jobs.clear()

    at = visit("pages/start/home.py")
    at.session_state["owner"] = key  # the same browser, by its cookie
    at.query_params["run"] = name
    at.switch_page("pages/train/live.py").run()
    shown = str([p.text for p in at.get("progress")])
    assert f"interrupted: step {step} of 300" in shown and not at.warning
    button(at, "Resume").click().run()
    assert not at.exception and not at.warning and name in at.query_params["run"]
    again = state.run_library().job(name)
    again.thread.join(60)
    assert again.status()[:2] == ("finished", 300)
    at.run()
    assert "finished: step 300 of 300" in str([p.text for p in at.get("progress")])


def test_why_a_training_cannot_begin_is_said_in_the_form(visit) -> None:
    from pages._ui import state

    at = visit("pages/train/live.py")
    state.run_library().budget = 1000
    button(at, "Train").click().run()
    assert not at.exception and "there is no room for this run" in at.error[0].value
    assert button(at, "Train")


def test_two_sessions_own_different_runs(visit) -> None:
    from pages._ui import state

    owners = []
    for _ in range(2):
        at = visit("pages/train/live.py")
        button(at, "Train").click().run()
        button(at, "Stop").click().run()
        owners.append(at.session_state["owner"])
    assert len(set(owners)) == 2
    assert [len(state.run_library().entries(owner)) for owner in owners] == [1, 1]


def test_what_a_reader_typed_is_shown_and_never_interpreted(visit) -> None:
    at = visit("pages/read/attention.py", model="mirror", prompt="**x** :red[y] $z$")
    assert "\\*\\*x\\*\\*" in at.error[0].value
    assert "**x**" not in at.error[0].value


def test_a_damaged_run_is_one_sentence(visit, tmp_path) -> None:
    name = "run-0123456789abcdef"
    (tmp_path / name).mkdir()
    (tmp_path / name / "model.safetensors").write_bytes(b"noise")
    at = visit("pages/read/attention.py", model=name)
    assert not at.exception
    assert len(at.error) == 1 and "config\\.json is missing" in at.error[0].value


def test_changing_the_model_brings_a_prompt_that_fits(visit) -> None:
    at = visit("pages/read/attention.py", model="shakespeare")
    at.selectbox(key="model").set_value("mirror").run()
    assert not at.exception and not at.error
    assert pictures(at)


def test_changing_the_model_keeps_what_the_reader_typed_where_it_can_be_read(visit) -> None:
    own = "7 8 9 9 8 7"
    at = visit("pages/read/attention.py", model="mirror", prompt=own)
    for model, prompt in (
        ("mirror-no-positions", own),
        ("shakespeare", "First Citizen"),
        ("mirror", own),
        ("induction", own),
    ):
        at.selectbox(key="model").set_value(model).run()
        assert at.session_state["prompt"].startswith(prompt), model
        assert not at.exception and not at.error
    at.text_area(key="prompt").set_value("7 " * 40).run()
    at.selectbox(key="model").set_value("mirror").run()
    assert at.session_state["prompt"].startswith("41 7 93"), "40 tokens do not fit into 16"
    at.selectbox(key="model").set_value("induction").run()
    assert at.session_state["prompt"] == "7 " * 40


@pytest.mark.slow
def test_training_runs_in_the_background_and_its_model_opens(visit) -> None:
    import time

    at = visit("pages/train/live.py")
    at.number_input(key="steps of mirror").set_value(50).run()
    next(button for button in at.button if button.label == "Train").click().run()
    deadline = time.monotonic() + SECONDS
    while "finished" not in str([p.text for p in at.get("progress")]):
        assert time.monotonic() < deadline
        time.sleep(0.3)
        at.run()
        assert not at.exception
    look = next(button for button in at.button if button.label == "Open its attention")
    look.click().run()
    assert not at.exception and not at.error
    name = at.session_state["model"]
    opened = visit("pages/read/attention.py", model=name)
    assert not opened.exception and not opened.error
    assert opened.session_state["model"] == name and name.startswith("run-")
    assert pictures(opened)


def test_new_run_leads_back_to_the_form(visit) -> None:
    at = visit("pages/train/live.py")
    next(button for button in at.button if button.label == "Train").click().run()
    for label in ("Stop", "New run"):
        next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    assert "Train" in [button.label for button in at.button]
