"""Every recipe fits its task, and the small ones are followed to the end: they reach the floor."""

import math

import pytest

SMALL = [
    *("mirror", "induction", "induction-4-heads", "copy", "sort", "brackets", "ioi"),
    *("addition", "addition-forwards", "modular-addition"),
]
EXACT = {"addition": 0.99, "addition-forwards": 0.99, "ioi": 0.95, "modular-addition": 0.99}
WITHIN, NEAR_ZERO = 0.02, 0.02  # of the floor; nats, where the floor is 0


@pytest.fixture(scope="module")
def recipes():
    from tfs.train.recipes import RECIPES

    return RECIPES


TEXT = ["prose", "shakespeare-characters", "shakespeare-gpt2", "shakespeare"]


def test_the_others_are_two_large_mirrors_and_text(recipes) -> None:
    assert set(recipes) == {*SMALL, "mirror-2-layers", "mirror-no-positions", *TEXT}
    assert all(recipe.name == name for name, recipe in recipes.items())


@pytest.mark.parametrize("name", [*SMALL, "mirror-2-layers", "mirror-no-positions"])
def test_a_recipes_model_has_the_size_of_its_task(recipes, name) -> None:
    recipe = recipes[name]
    task = recipe.make_task()
    assert (recipe.model.d_vocab, recipe.model.n_ctx) == (task.d_vocab, task.n_ctx)


@pytest.mark.parametrize("name", TEXT)
def test_a_recipes_model_can_read_its_text(recipes, name) -> None:
    """Our own prose may gain a letter at any time: there the model has room for some."""
    recipe = recipes[name]
    try:
        task = recipe.make_task()
    except OSError as error:
        pytest.skip(f"Tiny Shakespeare or GPT-2's tokens are not on this machine: {error}")
    assert recipe.model.n_ctx == task.n_ctx
    assert task.d_vocab <= recipe.model.d_vocab <= (128 if name == "prose" else task.d_vocab)


@pytest.mark.slow
def test_the_prose_recipe_learns_to_write(recipes) -> None:
    """Uniform guessing costs 4.6 nats a letter, their frequencies 3.2, their pairs 2.5."""
    import tfs
    from tfs.train import train

    recipe = recipes["prose"]
    *_, last = train(tfs.DecoderOnly(recipe.model), recipe.make_task(), recipe.train)
    assert last.held_out.loss < 1.8


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_reaches_its_floor(recipes, one_thread, name) -> None:
    import tfs
    from tfs.train import evaluate, train

    recipe = recipes[name]
    task, model = recipe.make_task(), tfs.DecoderOnly(recipe.model)
    for _ in train(model, task, recipe.train):
        pass
    got, floor = evaluate(model, task.sample(4096, seed=77, split="held_out")), task.floor()
    limit = floor * (1 + WITHIN) if floor else NEAR_ZERO
    assert floor - 0.01 <= got.loss <= limit
    assert got.exact >= EXACT.get(name, 0)
    assert got.accuracy > 0.99 and math.isfinite(got.loss)
