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


def test_the_small_ones_are_all_but_long_ones_and_texts(recipes) -> None:
    slow = {"mirror-2-layers", "mirror-no-positions"}
    texts = {name for name, recipe in recipes.items() if recipe.task == "text"}
    assert set(recipes) == {*SMALL, *slow, *texts}
    assert all(recipe.name == name for name, recipe in recipes.items())


@pytest.mark.parametrize("name", [*SMALL, "mirror-2-layers", "mirror-no-positions"])
def test_a_recipes_model_has_the_size_of_its_task(recipes, name) -> None:
    recipe = recipes[name]
    task = recipe.make_task()
    assert (recipe.model.d_vocab, recipe.model.n_ctx) == (task.d_vocab, task.n_ctx)


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
