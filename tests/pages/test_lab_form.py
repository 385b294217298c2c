"""The lab before the start: the form, what it costs, and the schedule to come."""

import time

import pytest

from tests.pages.lab_page import PAGE, button, metrics, recipe_of
from tests.pages.screen import SECONDS, as_tensor, drawn


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
