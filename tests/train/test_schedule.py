import doctest

import pytest


@pytest.fixture(scope="module")
def lr_at():
    from tfs.train import lr_at

    return lr_at


@pytest.mark.parametrize(
    ("step", "fields", "lr"),
    [
        (1, {}, 0.1),
        (5, {}, 0.5),
        (10, {}, 1.0),
        (60, {}, 0.5),
        (35, {}, 0.8535533905932737),  # (1 + cos(pi / 4)) / 2
        (110, {}, 0.0),
        (110, {"final_lr_fraction": 0.2}, 0.2),
        (60, {"final_lr_fraction": 0.2}, 0.6),
        (35, {"schedule": "linear"}, 0.75),
        (110, {"schedule": "linear", "final_lr_fraction": 0.1}, 0.1),
        (5, {"schedule": "constant"}, 0.5),
        (110, {"schedule": "constant"}, 1.0),
        (1, {"warmup_steps": 0, "steps": 4, "schedule": "linear"}, 0.75),
        (4, {"warmup_steps": 4, "steps": 4}, 1.0),
        (2, {"warmup_steps": 8, "steps": 4}, 0.25),
    ],
)
def test_the_learning_rate(lr_at, train_config, step, fields, lr):
    config = train_config(**({"steps": 110, "warmup_steps": 10, "lr": 1.0} | fields))
    assert lr_at(step, config) == pytest.approx(lr, abs=1e-12)


@pytest.mark.parametrize("step", [1, 7, 400, 401, 100_000])
def test_the_first_transformers_schedule(lr_at, train_config, step):
    """Vaswani et al. 2017, equation 3, with its peak at the end of the warm-up."""
    d_model, warmup = 512, 400
    peak = d_model**-0.5 * warmup**-0.5
    config = train_config(
        steps=100_000, warmup_steps=warmup, lr=peak, schedule="inverse_sqrt", final_lr_fraction=0.5
    )
    expected = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    assert lr_at(step, config) == pytest.approx(expected, rel=1e-12)


def test_without_a_warm_up_it_falls_from_the_first_step(lr_at, train_config):
    config = train_config(warmup_steps=0, lr=1.0, schedule="inverse_sqrt", steps=16)
    assert [lr_at(step, config) for step in (1, 4, 16)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("steps", "per_octave", "kept"),
    [
        (1, 1, [0, 1]),
        (20, 1, [0, 1, 2, 4, 8, 16, 20]),
        (20, 2, [0, 1, 2, 3, 4, 6, 8, 12, 16, 20]),
        (16, 4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16]),
    ],
)
def test_the_steps_whose_weights_are_kept(train_config, steps, per_octave, kept):
    from tfs.train import snapshot_steps

    assert snapshot_steps(train_config(steps=steps, snapshots_per_octave=per_octave)) == kept


def test_snapshots_may_start_later(train_config):
    from tfs.train import snapshot_steps

    config = train_config(steps=20, snapshots_per_octave=1, snapshots_from=5)
    assert snapshot_steps(config) == [0, 8, 16, 20]


def test_the_example_in_the_docstring():
    import importlib

    assert doctest.testmod(importlib.import_module("tfs.train.schedule")) == (0, 1)
