"""The lab trains every architecture from its form: fitting choices, and pictures as it trains."""

import pytest
import torch

from tests.pages.lab_page import PAGE, button, recipe_of, trained_to_the_end
from tests.pages.screen import SECONDS, header, open_code, the_map

FIRST_OF = {
    "encoder-decoder": "dates",
    "encoder-only": "masked-words",
    "token-classifier": "tags",
}


@pytest.fixture
def pair_run(trained):
    """pair_run(recipe) -> the page when a run of three updates is over, and its directory."""

    def train(recipe):
        at, directory = trained(recipe, 3)
        assert not at.exception and not at.error
        return at, directory

    return train


@pytest.mark.parametrize(("architecture", "recipe"), FIRST_OF.items())
def test_an_architecture_begins_with_its_first_recipe(visit, architecture, recipe) -> None:
    from tfs.train.pair_recipes import ALL_RECIPES
    from tfs.train.recipe import Recipe

    at = visit(PAGE)
    at.segmented_control(key="architecture").set_value(architecture).run()
    assert not at.exception and not at.error and not at.warning
    assert at.selectbox(key="recipe").value == recipe
    assert Recipe.from_dict(recipe_of(at)) == ALL_RECIPES[recipe]
    at.segmented_control(key="architecture").set_value("decoder-only").run()
    assert at.selectbox(key="recipe").value == "mirror" and not at.warning


@pytest.mark.parametrize("query", [{}, {"architecture": "encoder-only"}])
def test_a_link_to_a_recipe_opens_its_architecture(visit, query) -> None:
    at = visit(PAGE, recipe="grammar", **query)
    assert at.selectbox(key="recipe").value == "grammar"
    assert at.segmented_control(key="architecture").value == "encoder-decoder"
    assert recipe_of(at)["name"] == "grammar" and not at.warning


def test_every_recipe_is_offered_under_its_architecture(visit) -> None:
    from pages._ui.lab_form import OFFERED

    at, found = visit(PAGE), []
    for architecture in at.segmented_control(key="architecture").options:
        at.segmented_control(key="architecture").set_value(architecture).run()
        for name in at.selectbox(key="recipe").options:
            assert OFFERED[name].architecture == architecture
            found.append(name)
    assert sorted(found) == sorted(OFFERED)


def test_widgets_fit_the_architecture(visit) -> None:
    """No rotary positions where a text is encoded, no blocks without an MLP between two texts."""
    labels = {}
    for recipe in ("mirror", "dates", "masked-words", "tags"):
        at = visit(PAGE, recipe=recipe)
        labels[recipe] = {each.label for each in [*at.toggle, *at.selectbox, *at.slider]}
        positions = at.selectbox(key=f"positions of {recipe}").options
        assert ("rotary" in positions) == ("alibi" in positions) == (recipe == "mirror")
    assert "Norms stand" not in labels["mirror"]
    assert "Attention only, no MLPs" not in labels["dates"]
    assert "W_U is W_E transposed" not in labels["tags"]
    for recipe in ("dates", "masked-words", "tags"):
        assert {"Norms stand", "Label smoothing"} <= labels[recipe]


ODD = [
    ("dates", {"norm_first": "before each part (pre-norm)", "norm": "none", "positions": "none"}),
    ("grammar", {"norm": "RMS", "gated_mlp": True, "key heads below 4": 1, "tied": False}),
    ("masked-words", {"attn_only": True, "norm": "none", "positions": "sinusoidal"}),
    ("tags", {"norm_first": "before each part (pre-norm)", "attn_only": True, "scale": False}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "chosen"), ODD)
def test_odd_combinations_are_trained(visit, tmp_path, recipe, chosen) -> None:
    import tfs

    at = visit(PAGE, recipe=recipe)
    chosen = chosen | {"label_smoothing": 0.1, "warmup": 0, "steps": 3}
    chosen |= {"schedule": "inverse square root"}
    widgets = [*at.toggle, *at.selectbox, *at.slider, *at.number_input]
    by_key = {each.key: each for each in widgets}
    for name, value in chosen.items():
        by_key[f"{name} of {recipe}"].set_value(value)
    at.run()
    assert not at.exception and not at.error
    asked = recipe_of(at)
    assert asked["train"]["schedule"] == "inverse_sqrt" and asked["train"]["label_smoothing"] == 0.1
    button(at, "Train").click().run()
    trained_to_the_end(at)
    cfg = tfs.load(tmp_path / at.session_state["run"]).model.cfg
    assert cfg.to_dict() == asked["model"]
    assert cfg.norm_first == (True if "norm_first" in chosen else None)


def test_what_it_writes_is_shown_at_kept_steps_beside_the_truth(pair_run) -> None:
    import tfs
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("dates")
    assert "What it writes" in [each.value for each in at.subheader]
    (table,) = (each.value for each in at.table if "after" in each.value)
    steps = tfs.load(directory).snapshots
    when = [cell.split()[0].replace("*", "") for cell in table["after"]]
    assert when == [*map(str, steps), "the"]
    from tfs.tasks.batch import seed_for

    task = read_recipe(directory).make_task()
    drawn = task.sample(8 * 3, seed_for(0, "answers"), "held_out")
    for place, column in enumerate(table.columns[1:]):
        source = task.tokenizer.plain(drawn.source[place].tolist())
        target = task.tokenizer.plain(drawn.target[place].tolist())
        assert source in column
        assert table[column].iloc[-1].replace("\\", "") == target
        assert "red-background" in table[column].iloc[0]


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        ("masked-words", "fills in"),
        pytest.param("tags", "says of each word", marks=pytest.mark.slow),
    ],
)
def test_what_an_encoder_says_is_shown(pair_run, recipe, title) -> None:
    at, _ = pair_run(recipe)
    assert any(title in each.value for each in at.subheader)
    assert "the truth" in str([each.value for each in at.table])


@pytest.mark.parametrize("part", ["cross-attention", "encoder", "decoder"])
def test_one_head_is_drawn_at_the_newest_weights_and_all_at_kept_steps(pair_run, part) -> None:
    import tfs
    from pages._ui.components import shown
    from tfs.tasks.batch import seed_for
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("dates")
    at.segmented_control(key="part").set_value(part).run()
    at.segmented_control(key="head").set_value(2).run()
    assert not at.exception
    bundle, task = tfs.load(directory), read_recipe(directory).make_task()
    batch = task.sample(1, seed_for(0, "probe"), "held_out")
    place = {"cross-attention": "decoder.0.cross_attn"}.get(part, f"{part}.0.attn")
    read = batch.source, batch.target[:, :-1]
    _, cache = bundle.model.run_with_cache(*read)
    wanted = cache[f"{place}.hook_pattern"][0, 2]
    torch.testing.assert_close(the_map(at, "newest"), wanted, atol=1e-5, rtol=0)
    head = header(at, "forming")
    assert head["frames"] == [str(step) for step in bundle.snapshots]
    assert (head["queries"], head["keys"]) == tuple(wanted.shape)
    asks = batch.source[0] if part == "encoder" else batch.target[0, 1:]
    assert head["query_labels"] == shown(task.tokenizer.str_tokens(asks.tolist()))


@pytest.mark.slow
def test_an_encoder_is_drawn_both_ways(pair_run) -> None:
    import tfs
    from tfs.tasks.batch import seed_for
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("tags")
    batch = read_recipe(directory).make_task().sample(1, seed_for(0, "probe"), "held_out")
    _, cache = tfs.load(directory).model.run_with_cache(batch.tokens, batch.segments)
    wanted = cache["blocks.0.attn.hook_pattern"][0, 0]
    torch.testing.assert_close(the_map(at, "newest"), wanted, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_programs_give_what_is_drawn(pair_run) -> None:
    at, _ = pair_run("dates")
    open_code(at)
    programs = [each.value for each in at.code if "tfs.load" in each.value]
    assert len(programs) == 2
    results = []
    for program in programs:
        space: dict = {}
        exec(program, space)
        results.append(space["result"])
    torch.testing.assert_close(results[0], the_map(at, "newest"), atol=1e-5, rtol=0)
    head = header(at, "forming")
    assert list(results[1].shape) == [
        len(head["frames"]), len(head["names"]), head["queries"], head["keys"]
    ]  # fmt: skip


def test_both_questions_and_a_verdict_are_shown(visit, tmp_path) -> None:
    from pages._ui import state
    from tfs.train.recipe import Recipe

    at = visit(PAGE)
    sizes = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_head": 8, "d_mlp": 32}
    train = {"steps": 2, "batch_size": 4, "warmup_steps": 1, "eval_size": 4}
    fields = {"task": {"name": "question-pairs"}, "model": sizes, "train": train}
    recipe = Recipe.from_dict(fields)
    job = state.run_library().start(recipe, "key")
    job.thread.join(SECONDS)
    at = visit(PAGE, run=job.directory.name)
    assert not at.exception and not at.error
    (table,) = (each.value for each in at.table if "after" in each.value)
    labels = recipe.make_task().labels
    for column in table.columns[1:]:
        assert "|" in column and table[column].iloc[-1].replace("\\", "") in labels
    assert the_map(at, "newest").shape[0] == the_map(at, "newest").shape[1]
