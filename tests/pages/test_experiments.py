"""Experiments on their page: begun, followed to the end, what is drawn is what the runs logged."""

import json
import time

import pytest

from tests.pages.screen import SECONDS, as_tensor, drawn

PAGE = "pages/train/experiments.py"


@pytest.fixture
def own(monkeypatch):
    """A small experiment among ours, which the page offers as `tiny`."""
    import pages._ui.experiment_view as view
    from tfs.train.experiment import Experiment

    model = {"n_layers": 1, "d_model": 8, "n_heads": 1, "d_head": 8, "d_mlp": 8}
    train = {"steps": 8, "batch_size": 4, "warmup_steps": 1, "eval_every": 2, "eval_size": 8}
    tiny = Experiment.from_dict(
        {
            "name": "tiny",
            "question": "Slow or <b>fast</b>?",
            "look_for": "Whatever.",
            "base": {"task": {"name": "mirror", "d_vocab": 5, "n_ctx": 4}, "model": model}
            | {"train": train},
            "axes": {
                "rate": {"slow": {"train": {"lr": 1e-4}}, "fast": {"train": {"lr": 1e-2}}},
            },
            "seeds": [0, 1],
        }
    )
    monkeypatch.setitem(view.EXPERIMENTS, "tiny", tiny)
    return tiny


def button(at, label):
    return next(each for each in at.button if each.label == label)


@pytest.fixture
def done(visit, own):
    """The page when all four runs are over."""
    at = visit(PAGE, experiment="tiny")
    assert not at.exception and not at.error
    button(at, "Run it").click().run()
    wait_for_all(at)
    return at


def wait_for_all(at) -> None:
    deadline = time.monotonic() + SECONDS
    while "'4 of 4 runs done'" not in str([bar.proto.text for bar in at.get("progress")]):
        assert time.monotonic() < deadline and not at.exception
        time.sleep(0.2)
        at.run()


def test_the_plan_says_what_will_be_run(visit, own) -> None:
    at = visit(PAGE, experiment="tiny")
    assert at.subheader[0].value == r"Slow or \<b\>fast\<\/b\>?".replace("?", r"\?")
    assert any("4 runs, 32 updates in all" in caption.value for caption in at.caption)


def test_a_choice_that_takes_its_own_number_of_updates_says_so(visit) -> None:
    at = visit(PAGE, experiment="positions")
    choices = at.table[0].value["choices"][0].replace("\\", "")
    assert choices == "learned (600 updates), sinusoidal (600 updates), none"


def test_a_run_that_was_deleted_is_named(done) -> None:
    from pages._ui import state

    one = state.run_sets().entry(done.session_state["set"])
    state.run_library().delete(one.begun[0])
    done.run()
    assert not done.exception
    assert "1 of them deleted since" in str([bar.proto.text for bar in done.get("progress")])
    button(done, "Go on").click().run()
    wait_for_all(done)
    assert "deleted" not in str([bar.proto.text for bar in done.get("progress")])
    assert set(state.run_sets().entry(one.name).begun) > set(one.begun[1:])


def test_lines_and_bands_are_what_the_runs_logged(done, tmp_path) -> None:
    from tfs.train.run import read_metrics

    figure = drawn(done, "outcomes")
    logged = {}
    for directory in tmp_path.glob("run-*"):
        title = json.loads((directory / "run.json").read_text())["title"]
        losses = [m["held_out"]["loss"] for m in read_metrics(directory) if m["held_out"]]
        logged.setdefault("fast" if "fast" in title else "slow", []).append(losses)
    lines = {trace["name"]: trace for trace in figure["data"] if trace.get("name")}
    assert set(lines) == {"slow", "fast"}
    for name, (one, other) in logged.items():
        mean = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
        assert as_tensor(lines[name]["y"]).tolist() == pytest.approx(mean, abs=1e-5)
        assert as_tensor(lines[name]["x"]).int().tolist() == [2, 4, 6, 8]


def test_the_table_has_a_row_for_each_choice(done) -> None:
    (table,) = done.dataframe
    assert table.value["rate"].tolist() == ["slow", "fast"]
    assert table.value["runs"].tolist() == ["2", "2"]


def test_the_guess_is_graded_when_all_are_over(done) -> None:
    name = done.query_params["set"]
    name = name[0] if isinstance(name, list) else name
    from pages._ui import state

    ends = {each.name: each.last["held-out loss"].mean for each in state.run_sets().outcomes(name)}
    right = min(ends, key=ends.get)
    at = done.button_group(key=f"predict {name}").set_value(right).run()
    said = at.success[0].value.replace("\\", "")
    assert said.startswith("Right.") and f"{ends[right]:.3f} ({right})" in said


def test_what_moved_is_the_distance_of_the_weights(done, tmp_path) -> None:
    import tfs
    from tfs.interp import weight_change

    run = tmp_path / done.selectbox(key="run of set").value
    bundle = tfs.load(run)
    change = weight_change(bundle.at_step(0), bundle.model)
    finite = [value for value in change.values() if value < float("inf")]
    assert as_tensor(drawn(done, "moved")["data"][0]["x"]).tolist() == pytest.approx(
        finite, abs=1e-5
    )


def test_a_link_finds_it_and_another_reader_cannot_steer_it(done, visit) -> None:
    name = done.query_params["set"]
    at = visit("pages/start/home.py")
    at.query_params["set"] = name
    at = at.switch_page(PAGE).run()
    assert "4 of 4 runs done" in str([bar.proto.text for bar in at.get("progress")])
    assert not {"Stop", "Go on"} & {each.label for each in at.button}


@pytest.mark.parametrize("name", ["set-0000000000000000", "../../etc/passwd"])
def test_a_dead_link_says_so(visit, name) -> None:
    at = visit("pages/start/home.py")
    at.query_params["set"] = name
    at = at.switch_page(PAGE).run()
    assert not at.exception and "There is no experiment" in at.warning[0].value


def test_every_ready_made_experiment_has_a_plan(visit) -> None:
    from tfs.train.experiments import EXPERIMENTS

    for experiment in EXPERIMENTS.values():
        assert experiment.question.endswith("?") and experiment.look_for
        assert len(experiment.runs()) > 1
