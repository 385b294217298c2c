"""What a training of pairs or labels will cost: against the model's own count, and torch's."""

import pytest

NAMES = ["dates", "numbers", "grammar", "masked-words", "tags"]


@pytest.fixture
def recipe():
    """recipe(name): a ready-made one, or the smallest of question pairs."""
    from tfs.train.pair_recipes import PAIR_RECIPES
    from tfs.train.recipe import Recipe

    small = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_head": 8, "seed": 0}

    def named(name):
        if name in PAIR_RECIPES:
            return PAIR_RECIPES[name]
        return Recipe.from_dict({"task": {"name": name}, "model": small})

    return named


@pytest.mark.parametrize("name", [*NAMES, "question-pairs"])
def test_costs_are_those_of_the_model(recipe, name) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from tfs.train.estimate import costs

    made = recipe(name)
    task, seen = made.make_task(), range(20, 26)  # of other batches than those that are counted
    model = made.kind(task).make()
    got = costs(made, task)
    assert got.parameters == sum(p.numel() for p in model.parameters())
    batches = [task.sample(made.train.batch_size, seed) for seed in seen]
    tokens = sum(batch.tokens_read for batch in batches) / len(seen)
    assert got.tokens_per_update == pytest.approx(tokens, rel=0.08)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        for batch in batches:
            batch.predictions(model).sum().backward()
    counted = counter.get_total_flops() / len(seen)
    assert got.flops_per_update == pytest.approx(counted, rel=0.08)
    assert got.flops == made.train.steps * got.flops_per_update


@pytest.mark.parametrize("name", [*NAMES, "question-pairs"])
def test_of_one_batch_the_formula_is_what_torch_counts(recipe, name) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from tfs.train.estimate import flops_per_update

    made = recipe(name)
    task = made.make_task()
    kind, batch = made.kind(task), task.sample(6, seed=3)
    model = kind.make()
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        batch.predictions(model).sum().backward()
    assert flops_per_update(kind, batch) == pytest.approx(counter.get_total_flops(), rel=0.03)
