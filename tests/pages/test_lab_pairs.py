"""A run of another architecture is watched in the lab, and no other page claims to read it."""

import secrets
import shutil
import time

import pytest

from tests.pages.lab_page import PAGE
from tests.pages.screen import SECONDS, drawn, messages


@pytest.fixture
def of_another_kind(tmp_path):
    """of_another_kind(name) -> the name of a run like a terminal's, with a bundled model."""
    from tfs.train.checkpoint import BUNDLED

    def copy(name):
        run = f"run-{secrets.token_hex(8)}"
        shutil.copytree(BUNDLED / name, tmp_path / run)
        return run

    return copy


@pytest.mark.parametrize("name", ["dates", "masked-words", "tags"])
def test_its_numbers_and_its_loss_are_shown(visit, of_another_kind, name) -> None:
    from tfs.train.checkpoint import BUNDLED
    from tfs.train.recipe import read_recipe
    from tfs.train.references import reference_losses
    from tfs.train.run import read_metrics

    at = visit("pages/train/live.py", run=of_another_kind(name))
    assert not at.exception and not at.error
    directory = BUNDLED / name
    lines = read_metrics(directory)
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Held-out loss"] == f"{lines[-1]['held_out']['loss']:.3f}"
    uniform = reference_losses(read_recipe(directory).make_task())["uniform"]
    assert f"{uniform:.3f}" in str(drawn(at, "loss")["layout"])
    buttons = {b.label: b.disabled for b in at.button}
    assert buttons["Open in Two texts" if name == "dates" else "Open in Both ways"] is False


@pytest.mark.parametrize("page", ["pages/read/attention.py", "pages/inspect/lens.py"])
def test_a_page_that_reads_one_text_says_that_it_cannot_read_it(visit, of_another_kind, page):
    at = visit(page, model=of_another_kind("dates"))
    assert not at.exception
    assert any("encoder-decoder" in message.replace("\\", "") for message in messages(at))


def pressed(at, label):
    return next(each for each in at.button if each.label == label).click().run()


def until(at, state):
    deadline = time.monotonic() + SECONDS
    while state not in str([bar.proto.text for bar in at.get("progress")]):
        assert time.monotonic() < deadline and not at.exception and not at.error
        time.sleep(0.1)
        at.run()


@pytest.fixture
def begun(visit):
    """begun(recipe, updates) -> the page when its run is in the queue or trained."""

    def begin(recipe, updates):
        at = visit(PAGE, recipe=recipe)
        at.number_input(key=f"steps of {recipe}").set_value(updates).run()
        pressed(at, "Train")
        assert not at.exception and not at.error
        return at

    return begin


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["grammar", "masked-words", "tags"])
def test_it_is_paused_stopped_resumed_and_its_rate_changed(begun, recipe) -> None:
    from pages._ui import state

    at = begun(recipe, 5000)
    until(at, "running")
    pressed(at, "Pause")
    until(at, "paused")
    pressed(at, "Go on")
    until(at, "running")
    pressed(at, "Stop")
    until(at, "stopped")
    at.number_input(key="new lr").set_value(1e-5).run()
    pressed(at, "Resume with it")
    until(at, "running")
    job = state.run_library().job(at.session_state["run"])
    assert job.control.config_at(10**6, job.config).lr == 1e-5
    pressed(at, "Stop")
    until(at, "stopped")
    assert not at.exception and not at.error


@pytest.mark.slow
def test_it_waits_in_the_one_queue_for_its_turn(begun) -> None:
    from tfs.train.worker import SLOTS

    at = begun("grammar", 5000)
    for _ in range(SLOTS.free + 1):
        pressed(at, "New run")
        assert at.selectbox(key="recipe").value == "grammar"
        pressed(at, "Train")
    assert not at.exception and not at.error
    assert any("in the queue" in each.value for each in at.info)


def test_it_is_listed_taken_along_brought_in_and_deleted(begun) -> None:
    from pages._ui import state

    at = begun("masked-words", 2)
    name = at.session_state["run"]
    state.run_library().job(name).thread.join(SECONDS)
    at.switch_page("pages/train/runs.py").run()
    assert not at.exception and not at.error
    assert name in str(at.dataframe[0].value)
    packed = state.run_library().export(name)
    at.file_uploader[0].upload(f"{name}.zip", packed, "application/zip").run()
    assert not at.exception and not at.error
    assert len(at.dataframe[0].value) == 2
    pressed(at, "Delete it for good")
    assert not at.exception and len(at.dataframe[0].value) == 1


def test_beside_another_model_it_is_refused_in_one_sentence(visit, of_another_kind) -> None:
    at = visit("pages/train/compare.py", other=of_another_kind("dates"))
    assert not at.exception
    (said,) = (each.value.replace("\\", "") for each in at.error)
    assert "encoder-decoder" in said and said.endswith("choose another one")


def test_an_experiment_of_two_texts_runs_and_its_runs_are_watched(visit, monkeypatch) -> None:
    import pages._ui.experiment_view as view
    from tfs.train.experiment import Experiment

    sizes = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_head": 8, "d_mlp": 32}
    train = {"steps": 4, "batch_size": 4, "warmup_steps": 1, "eval_every": 2, "eval_size": 4}
    norms = {"after": {}, "before": {"model": {"norm_first": True}}}
    fields = {"name": "norms", "question": "Where should norms stand?", "look_for": "The loss."}
    fields |= {"base": {"task": {"name": "grammar"}, "model": sizes, "train": train}}
    experiment = Experiment.from_dict(fields | {"axes": {"norms": norms}})
    monkeypatch.setitem(view.EXPERIMENTS, "norms", experiment)
    at = visit("pages/train/experiments.py", experiment="norms")
    assert not at.exception and not at.error
    pressed(at, "Run it")
    until(at, "2 of 2 runs done")
    at.run()
    assert not at.exception and not at.error
    assert drawn(at, "outcomes") and drawn(at, "moved")
    labels = [each.label for each in at.button]
    assert "Watch it" in labels and "Its attention" not in labels
