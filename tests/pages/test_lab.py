"""The lab's page once it trains: what is drawn is what was logged, and who may steer it."""

import json

import pytest

from tests.pages.lab_page import PAGE, button, metrics
from tests.pages.screen import SECONDS, as_tensor, drawn, header, said


def test_numbers_and_curves_are_those_of_the_log(trained) -> None:
    from tfs.train.references import reference_losses
    from tfs.train.run import read_metrics

    at, directory = trained("mirror", 60)
    log = read_metrics(directory)
    last = log[-1]["held_out"]
    shown = metrics(at)
    assert shown["Training loss"] == f"{log[-1]['loss']:.3f}"
    assert shown["Held-out loss"] == f"{last['loss']:.3f}"
    assert shown["Answers right"] == f"{last['accuracy']:.1%}"
    assert shown["Whole sequences right"] == f"{last['exact']:.1%}"
    assert shown["Gradient norm"] == f"{log[-1]['grad_norm']:.3g}"
    figure = drawn(at, "loss")
    curves = {trace["name"]: trace for trace in figure["data"]}
    losses = [line["loss"] for line in log]
    assert as_tensor(curves["training"]["y"]).tolist() == pytest.approx(losses, abs=1e-5)
    held_out = [line["held_out"]["loss"] for line in log if line["held_out"]]
    assert as_tensor(curves["held out"]["y"]).tolist() == pytest.approx(held_out, abs=1e-5)
    from tfs.tasks import make_task

    task = make_task("mirror", {})
    levels = [shape["y0"] for shape in figure["layout"]["shapes"]]
    wanted = [*reference_losses(task).values(), task.floor()]
    assert sorted(levels) == pytest.approx(sorted(wanted), abs=1e-6)
    rates = {trace["name"]: trace for trace in drawn(at, "rates")["data"]}
    assert as_tensor(rates["rate"]["y"]).tolist() == pytest.approx([m["lr"] for m in log], rel=1e-4)


@pytest.mark.slow
def test_accuracy_by_position_is_that_of_the_log(trained) -> None:
    from tfs.train.run import read_metrics

    at, directory = trained("mirror", 60)
    rows = [m["held_out"]["by_position"] for m in read_metrics(directory) if m["held_out"]]
    cells = as_tensor(drawn(at, "by position")["data"][0]["z"])
    wanted = [[row[p] for row in rows] for p in range(8, 16)]
    assert cells.tolist() == [pytest.approx(row, abs=1e-6) for row in wanted]


def test_heads_are_shown_on_a_held_out_probe_at_every_kept_step(trained) -> None:
    import torch

    import tfs
    from tfs.tasks import make_task
    from tfs.train.guesses import probe

    at, directory = trained("mirror", 60)
    bundle, tokens = tfs.load(directory), probe(make_task("mirror", {}))
    head = header(at, "forming")
    assert head["frames"] == [str(step) for step in bundle.snapshots]
    assert head["key_labels"] == [str(token) for token in tokens]
    scores = {t["name"]: t for t in drawn(at, "formation")["data"] if t.get("yaxis") == "y2"}
    from tfs.interp import previous_token_score

    for place, step in enumerate(bundle.snapshots):
        _, cache = bundle.at_step(step).run_with_cache(torch.tensor([tokens]))
        found = previous_token_score(cache["pattern", 0], torch.tensor([tokens]))[0]
        for number, score in enumerate(found.tolist()):
            shown = as_tensor(scores[f"L0H{number}"]["y"])[place].item()
            assert shown == pytest.approx(score, abs=1e-5)


@pytest.mark.slow
def test_a_text_shows_what_it_writes(trained) -> None:
    at, _ = trained("prose", 12)
    assert "What it writes" in [each.value for each in at.subheader]
    assert not at.exception and "12 updates" in str([table.value for table in at.table])


@pytest.mark.slow
def test_a_branch_begins_with_the_weights_of_its_step(trained, tmp_path) -> None:
    import tfs

    at, parent = trained("mirror", 30)
    at.select_slider(key="branch step").set_value(24)
    at.number_input(key="branch steps").set_value(5).run()
    button(at, "Train the branch").click().run()
    assert not at.exception and not at.error
    child = tmp_path / at.session_state["run"]
    assert child != parent
    from pages._ui import state

    state.run_library().job(child.name).thread.join(SECONDS)
    before, after = tfs.load(parent).at_step(24), tfs.load(child).at_step(0)
    for name, weight in before.state_dict().items():
        assert weight.equal(after.state_dict()[name]), name
    assert state.run_library().entry(child.name).parent == (parent.name, 24)


def test_a_run_that_diverged_goes_on_at_another_rate(visit) -> None:
    from pages._ui import state

    at = visit(PAGE, recipe="mirror")
    at.number_input(key="steps of mirror").set_value(120)
    at.toggle(key="clip of mirror").set_value(False)
    at.number_input(key="lr of mirror").set_value(10.0).run()
    button(at, "Train").click().run()
    name = at.session_state["run"]
    state.run_library().job(name).thread.join(SECONDS)
    at.run()
    assert not at.exception and "diverged" in at.error[0].value
    at.number_input(key="new lr").set_value(1e-3).run()
    button(at, "Resume with it").click().run()
    state.run_library().job(name).thread.join(SECONDS)
    at.run()
    assert not at.exception and [each.value for each in at.error] == []
    assert state.run_library().entry(name).state == "finished"


def test_what_has_no_save_offers_no_resume(visit, trained) -> None:
    from pages._ui import state

    at, directory = trained("mirror", 20)
    status = json.loads((directory / "status.json").read_text())
    state.run_library().jobs.pop(directory.name, None)
    (directory / "last").unlink()
    (directory / "status.json").write_text(json.dumps(status | {"state": "stopped", "step": 10}))
    at.run()
    assert "Resume" not in {each.label for each in at.button}


def test_right_answers_are_those_of_the_log_also_on_seen_examples(trained) -> None:
    at, directory = trained("modular-addition", 50)
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    curves = {trace["name"]: trace for trace in drawn(at, "accuracy")["data"]}
    for name, part in (("held out", "held_out"), ("seen in training", "seen")):
        expected = [line[part]["accuracy"] for line in lines if line.get(part)]
        assert as_tensor(curves[name]["y"]).tolist() == pytest.approx(expected)


@pytest.mark.slow
def test_who_has_the_link_only_cannot_steer(visit, trained) -> None:
    at, directory = trained("mirror", 20)
    other = visit("pages/start/home.py")
    other.query_params["run"] = directory.name
    other = other.switch_page(PAGE).run()
    assert not other.exception and "begun elsewhere" in said(other)
    labels = {each.label for each in other.button}
    assert not {"Stop", "Pause", "Resume", "Change it"} & labels
    assert {"Train the branch", "Open its attention"} <= labels


def test_a_run_from_a_terminal_opens_while_it_is_written(visit, tmp_path, one_thread) -> None:
    import tfs
    from tfs.train.alive import at_work
    from tfs.train.recipe import save_recipe
    from tfs.train.recipes import RECIPES

    recipe, directory = RECIPES["mirror"], tmp_path / "from-a-terminal"
    task, model = recipe.make_task(), tfs.DecoderOnly(recipe.model)
    save_recipe(recipe, directory)
    updates = tfs.train.train if hasattr(tfs.train, "train") else tfs.train
    for step in updates(model, task, recipe.train, directory):
        if step.step == 10:
            break
    tfs.save(tfs.Bundle(model, task.tokenizer, "# mirror\n"), directory)
    with at_work(directory):
        at = visit("pages/start/home.py")
        at.query_params["run"] = directory.name
        at = at.switch_page(PAGE).run()
        assert not at.exception
        shown = str([bar.proto.text for bar in at.get("progress")])
        assert "running elsewhere: step 10 of 300" in shown
    at = at.run()
    assert "interrupted" in str([bar.proto.text for bar in at.get("progress")])


@pytest.mark.slow
@pytest.mark.parametrize("n_ctx", [2, 9])
def test_a_text_in_windows_of_a_few_tokens(visit, trained, n_ctx) -> None:
    """The sample is longer than the context, so its beginning falls away while it is written."""
    import pages._ui.lab_form as lab_form

    def with_short_windows(base):
        return {"corpus": "prose", "tokenizer": "characters", "n_ctx": n_ctx, "d_vocab": 512}, None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_form, "task_fields", with_short_windows)
        at, _ = trained("prose", 3)
    assert not at.exception and "What it writes" in [each.value for each in at.subheader]
