"""The model card's words agree with its numbers."""

import pytest


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (1, ("1 layer, ", "1 head of 4", "1 sequence of 8 tokens", "1 update;", "1 warm-up step,")),
        (2, ("2 layers,", "2 heads of", "2 sequences of", "2 updates;", "2 warm-up steps,")),
    ],
)
def test_one_is_singular(mirror_setup, train_config, number, parts) -> None:
    from tfs.train.card import model_card

    model, task = mirror_setup(n_layers=number, n_heads=number)
    config = train_config(batch_size=number, warmup_steps=number)
    card = model_card("mirror", "A model.", model, task, config, step=number)
    for part in parts:
        assert part in card


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (3.14159, "- **Time**: 3.14 seconds of training on 1 thread.\n"),
        (119.6, "- **Time**: 120 seconds of training on 1 thread.\n"),
        (5400.0, "- **Time**: 90 minutes of training on 1 thread.\n"),
    ],
)
def test_the_time_it_took(mirror_setup, train_config, seconds, said) -> None:
    from tfs.train.card import model_card

    model, task = mirror_setup()
    card = model_card("mirror", "A model.", model, task, train_config(), 3, seconds=seconds)
    assert said in card and ("**Time**" in card) == bool(said)


def test_a_model_that_was_stopped_is_not_measured(mirror_setup, train_config) -> None:
    from tfs.train.card import model_card

    model, task = mirror_setup()
    card = model_card("mirror", "A model.", model, task, train_config(), 3, measured=False)
    assert "not measured; it was stopped at step 3 of 12" in card and "loss" not in card
