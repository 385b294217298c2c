"""What a training will cost, before it starts."""

import dataclasses
import time

import pytest
import torch


@pytest.fixture(scope="module")
def recipe():
    from tfs.train.recipes import MIRROR

    return MIRROR


def test_it_counts_what_the_recipe_says(recipe) -> None:
    import tfs
    from tfs.arithmetic import training_flops
    from tfs.train.estimate import costs

    got = costs(recipe)
    assert got.parameters == sum(p.numel() for p in tfs.DecoderOnly(recipe.model).parameters())
    assert got.tokens_per_update == 64 * 16 and got.tokens == 300 * 64 * 16
    assert got.flops_per_update == training_flops(recipe.model, 16, 64)
    assert got.flops == 300 * got.flops_per_update
    assert got.seconds == 300 * got.seconds_per_update


def test_it_times_real_updates(recipe, monkeypatch) -> None:
    """An update that sleeps for a while takes at least that; the first one is not counted."""
    from tfs.train import estimate

    real, taken = estimate.update, []

    def slow(*args):
        taken.append(args[4])
        time.sleep(0.5 if len(taken) == 1 else 0.05)
        return real(*args)

    monkeypatch.setattr(estimate, "update", slow)
    assert 0.05 <= estimate.seconds_per_update(recipe, updates=2) < 0.4
    assert taken == [1, 2, 3]


def test_a_long_update_is_timed_by_a_part_of_its_batch_and_once(recipe, monkeypatch) -> None:
    from tfs.arithmetic import training_flops
    from tfs.train import estimate

    real, rows = estimate.update, []

    def slow(model, task, config, *rest):
        rows.append(config.batch_size)
        time.sleep(0.05)
        return real(model, task, config, *rest)

    monkeypatch.setattr(estimate, "update", slow)
    monkeypatch.setattr(estimate, "MOST_FLOPS", training_flops(recipe.model, 16, 16))
    monkeypatch.setattr(estimate, "SECONDS_TO_TIME", 0.01)
    assert estimate.seconds_per_update(recipe) >= 0.05 * 64 / 16
    assert rows == [16]


def test_it_changes_nothing_else(recipe) -> None:
    from tfs.train.estimate import seconds_per_update

    threads, random = torch.get_num_threads(), torch.get_rng_state()
    task = recipe.make_task()
    before = task.sample(2, seed=3).tokens
    seconds_per_update(recipe, task, updates=1)
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), random)
    assert torch.equal(task.sample(2, seed=3).tokens, before)


def test_what_cannot_be_trained_is_refused(recipe) -> None:
    from tfs.train.estimate import seconds_per_update

    small = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, n_ctx=8))
    with pytest.raises(ValueError, match="n_ctx = 16, more than the model's 100 and 8"):
        seconds_per_update(small)
