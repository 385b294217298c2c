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
