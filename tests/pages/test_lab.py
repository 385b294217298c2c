"""The lab's page: the form makes the recipe that it shows, and what is drawn is what was logged."""

import json
import time

import pytest

from tests.pages.screen import SECONDS, as_tensor, drawn, header, said

PAGE = "pages/train/live.py"


def button(at, label):
    return next(each for each in at.button if each.label == label)


def metrics(at) -> dict[str, str]:
    return {each.label: each.value for each in at.metric}


def recipe_of(at):
    """What the form would train, as it says itself."""
    (box,) = at.json
    return json.loads(box.value)


@pytest.fixture
def trained(visit, tmp_path):
    """trained(recipe, updates) -> the page when its run is over, and the run's directory."""

    def train(recipe: str, updates: int):
        at = visit(PAGE, recipe=recipe)
        at.number_input(key=f"steps of {recipe}").set_value(updates).run()
        button(at, "Train").click().run()
        deadline = time.monotonic() + SECONDS
        while "finished" not in str([bar.proto.text for bar in at.get("progress")]):
            assert time.monotonic() < deadline and not at.exception
            time.sleep(0.2)
            at.run()
        at.run()
        return at, tmp_path / at.session_state["run"]

    return train


@pytest.mark.parametrize("name", ["mirror", "addition", "modular-addition", "ioi", "prose"])
def test_untouched_the_form_is_the_recipe(visit, name) -> None:
    from tfs.train.recipe import Recipe
    from tfs.train.recipes import RECIPES

    at = visit(PAGE, recipe=name)
    assert not at.exception and not at.error
    assert Recipe.from_dict(recipe_of(at)) == RECIPES[name]


def test_what_is_changed_is_in_the_recipe_and_sizes_follow(visit) -> None:
    at = visit(PAGE, recipe="addition")
    at.number_input(key="digits of addition").set_value(2).run()
    at.select_slider(key="d_model of addition").set_value(32).run()
    at.selectbox(key="norm of addition").set_value("none").run()
    at.number_input(key="seed of addition").set_value(7).run()
    assert not at.exception and not at.error
    made = recipe_of(at)
    assert made["task"] == {"name": "addition", "digits": 2}
    model = made["model"]
    assert (model["n_ctx"], model["d_model"], model["d_head"], model["d_mlp"]) == (9, 32, 8, 128)
    assert model["attn_scale"] == pytest.approx(8**0.5)
    assert model["normalization_type"] is None
    assert model["seed"] == made["train"]["seed"] == 7
    assert "changes made by hand" in made["about"]


def test_costs_are_those_of_the_recipe_on_screen(visit) -> None:
    from tfs.arithmetic import parameter_terms, readable_count, total, training_flops
    from tfs.train.recipes import RECIPES

    recipe = RECIPES["mirror"]
    shown = metrics(visit(PAGE, recipe="mirror"))
    assert shown["Parameters"] == readable_count(total(parameter_terms(recipe.model)))
    flops = recipe.train.steps * training_flops(recipe.model, 16, 64)
    assert shown["FLOPs in all"] == readable_count(flops)
    assert shown["Tokens read"] == readable_count(300 * 64 * 16)
    assert shown["Time, about"].split()[1] in ("s", "min", "h")


@pytest.mark.parametrize(
    ("recipe", "key", "value", "says"),
    [
        ("mirror", "n_ctx of mirror", 7, "“Length of a sequence, in tokens” (n_ctx) must be even"),
        ("induction", "longest of induction", 5, "shortest = 8, longest = 5"),
        ("mirror", "d_vocab of mirror", 1, "(d_vocab) must be at least 2"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_no_button(visit, recipe, key, value, says) -> None:
    at = visit(PAGE, recipe=recipe)
    at.number_input(key=key).set_value(value).run()
    assert not at.exception and len(at.error) == 1
    assert says in at.error[0].value.replace("\\", "")
    assert "Train" not in [each.label for each in at.button]


def test_what_was_changed_is_named_kept_from_page_to_page_and_undone(visit) -> None:
    at = visit(PAGE, recipe="mirror")
    changed = [each.value for each in at.caption if each.value.startswith("Changed")]
    assert not changed
    at.slider(key="n_layers of mirror").set_value(3).run()
    at.switch_page("pages/train/runs.py").run()
    at.switch_page(PAGE).run()
    assert not at.exception
    assert at.slider(key="n_layers of mirror").value == recipe_of(at)["model"]["n_layers"] == 3
    (changed,) = [each.value for each in at.caption if each.value.startswith("Changed")]
    assert changed.replace("\\", "") == "Changed: n_layers 3 instead of 1."
    button(at, "As the recipe says").click().run()
    assert at.slider(key="n_layers of mirror").value == recipe_of(at)["model"]["n_layers"] == 1


def test_a_recipe_that_is_not_there_is_named(visit) -> None:
    at = visit(PAGE, recipe="nosuch")
    assert "There is no recipe nosuch" in at.warning[0].value
    assert not visit(PAGE, recipe="sort").warning


def test_the_button_stands_before_the_costs_are_timed(visit, monkeypatch) -> None:
    """Else the one of the form as it was stays for so long, and starts that."""
    from pages._ui import training

    class StillTiming(Exception):
        pass

    def costs(*args):
        raise StillTiming

    monkeypatch.setattr(training, "costs", costs)
    at = visit(PAGE, recipe="mirror")
    at.number_input(key="steps of mirror").set_value(77).run()
    assert at.exception and button(at, "Train")


def test_the_schedule_is_drawn_before_the_start(visit) -> None:
    from tfs.train import lr_at
    from tfs.train.recipes import RECIPES

    curve = drawn(visit(PAGE, recipe="mirror"), "schedule")["data"][0]
    steps, rates = as_tensor(curve["x"]).int().tolist(), as_tensor(curve["y"]).tolist()
    for step, rate in zip(steps, rates, strict=True):
        assert rate == pytest.approx(lr_at(step, RECIPES["mirror"].train), rel=1e-5)


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
        patch.setattr(lab_form, "_task", with_short_windows)
        at, _ = trained("prose", 3)
    assert not at.exception and "What it writes" in [each.value for each in at.subheader]


@pytest.mark.parametrize(
    ("positions", "norm", "gated"), [("rotary", "RMS", True), ("alibi", "RMSPre", False)]
)
def test_a_modern_decoder_trains_from_the_form(visit, tmp_path, positions, norm, gated) -> None:
    import tfs

    at = visit(PAGE, recipe="mirror")
    at.select_slider(key="n_heads of mirror").set_value(4).run()
    at.selectbox(key="positions of mirror").set_value(positions)
    at.selectbox(key="norm of mirror").set_value(norm)
    at.selectbox(key="key heads below 4 of mirror").set_value(2)
    at.toggle(key="gated_mlp of mirror").set_value(gated)
    at.number_input(key="steps of mirror").set_value(3).run()
    assert not at.exception and not at.error
    asked = recipe_of(at)["model"]
    chosen = (positions, norm, gated, 2)
    fields = ("positional_embedding_type", "normalization_type", "gated_mlp", "n_key_value_heads")
    assert tuple(asked[field] for field in fields) == chosen
    button(at, "Train").click().run()
    deadline = time.monotonic() + SECONDS
    while "finished" not in str([bar.proto.text for bar in at.get("progress")]):
        assert time.monotonic() < deadline and not at.exception
        time.sleep(0.1)
        at.run()
    cfg = tfs.load(tmp_path / at.session_state["run"]).model.cfg
    assert tuple(getattr(cfg, field) for field in fields) == chosen
    assert cfg.rotary_dim == (cfg.d_head if positions == "rotary" else None)


def test_key_heads_are_fewer_than_heads_and_fit_every_number_of_them(visit) -> None:
    at = visit(PAGE, recipe="mirror")
    for heads, offered in ((1, []), (2, [1]), (4, [1, 2]), (8, [1, 2, 4])):
        at.select_slider(key="n_heads of mirror").set_value(heads).run()
        menu = at.selectbox(key=f"key heads below {heads} of mirror")
        assert menu.options == ["one for each head", *map(str, offered)]
        assert not at.exception and recipe_of(at)["model"].get("n_key_value_heads") is None
        menu.set_value(offered[-1] if offered else None).run()
        assert not at.error
        assert recipe_of(at)["model"].get("n_key_value_heads") == (offered or [None])[-1]
