import pytest
import torch

SITES = ["blocks.0.hook_resid_pre"]
SITES += [f"blocks.{layer}.hook_{part}" for layer in (0, 1) for part in ("attn_out", "mlp_out")]


@pytest.fixture(scope="module")
def dropout_hooks():
    from tfs.train.dropout import dropout_hooks

    return dropout_hooks


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_numbers_are_zeroed_or_scaled_so_that_the_mean_stays(dropout_hooks, p):
    from tfs.hooks import HookPoint

    ((_, drop),) = dropout_hooks(p, seed=0, step=1)
    dropped = drop(torch.ones(200, 500), hook=HookPoint())
    assert dropped.unique().tolist() == [0, pytest.approx(1 / (1 - p), rel=1e-6)]
    standard_error = (p / (1 - p) / dropped.numel()) ** 0.5
    assert dropped.mean().item() == pytest.approx(1, abs=5 * standard_error)


def test_where_it_acts(tiny_config, randomised, tokens_for, dropout_hooks):
    model = randomised(tiny_config())
    ((filter_, _),) = dropout_hooks(0.5, seed=0, step=1)
    assert sorted(filter(filter_, model.hook_dict)) == sorted(SITES)
    with model.hooks(dropout_hooks(0.5, seed=0, step=1)):
        _, cache = model.run_with_cache(tokens_for(model.cfg))
    for name, activation in cache.items():
        has_zeros = bool((activation == 0).float().mean() > 0.3)
        if name.endswith(("resid_pre", "resid_mid", "out", "resid_post")):
            assert has_zeros == (name in SITES), name


def test_the_draws_are_a_function_of_seed_and_step(
    tiny_config, randomised, tokens_for, dropout_hooks
):
    model = randomised(tiny_config())
    tokens = tokens_for(model.cfg)

    def run(*key):
        return model.run_with_hooks(tokens, fwd_hooks=dropout_hooks(0.3, *key))

    first = run(0, 1)
    assert torch.equal(run(0, 1), first)
    assert not torch.allclose(run(1, 1), first) and not torch.allclose(run(0, 2), first)


def test_without_dropout_there_are_no_hooks(dropout_hooks):
    assert dropout_hooks(0.0, seed=0, step=1) == []


def test_evaluation_is_without_dropout(mirror_setup, train_config):
    from tfs.tasks.batch import seed_for
    from tfs.train import evaluate, train

    model, task = mirror_setup()
    config = train_config(dropout=0.5, eval_every=1)
    held_out = task.sample(config.eval_size, seed_for(config.seed, "held out"), "held_out")
    for step in train(model, task, config):
        assert step.held_out == evaluate(model, held_out)


def test_training_is_with_dropout(mirror_setup, train_config):
    from tfs.train import train

    losses = []
    for p in (0.0, 0.5):
        losses.append(
            next(train(*mirror_setup(initializer_range=0.3), train_config(dropout=p))).loss
        )
    assert losses[0] != losses[1]
