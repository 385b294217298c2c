"""Copy and sort, literally."""

import pytest
import torch


def test_a_copy_literally(t) -> None:
    task = t.CopyTask(symbols=5, length=3)
    tokens, loss_mask, answer_mask = task.sample(50, seed=0)
    assert torch.equal(tokens[:, :3], tokens[:, 4:]) and (tokens[:, 3] == 5).all()
    assert answer_mask[0].int().tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert torch.equal(loss_mask, answer_mask)
    assert task.tokenizer.decode(tokens[0].tolist()).split()[3] == "|"
    whole = t.CopyTask(symbols=5, length=3, whole=True).sample(1, seed=0)
    assert whole.loss_mask[0].int().tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert torch.equal(whole.answer_mask, answer_mask[:1])


@pytest.mark.parametrize("distinct", [True, False])
def test_a_sorted_answer_literally(t, distinct) -> None:
    task = t.SortTask(symbols=50, length=8, distinct=distinct)
    tokens, _, answer_mask = task.sample(4000, seed=0)
    for question, answer in zip(tokens[:100, :8].tolist(), tokens[:100, 9:].tolist(), strict=True):
        assert answer == sorted(question)
        assert question != answer
    assert answer_mask[:, 9:].all() and not answer_mask[:, :9].any()
    twice = (tokens[:, 9:].diff(dim=1) == 0).any(1).double().mean().item()
    assert twice == (0 if distinct else pytest.approx(0.446, abs=0.03))
    assert tokens[:, :8].unique().tolist() == list(range(50))


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("CopyTask", {"length": 0}, "length .* not 0"),
        ("CopyTask", {"symbols": 1}, "symbols .* not 1"),
        ("SortTask", {"symbols": 5, "length": 6}, "6 distinct symbols cannot be drawn from 5"),
        ("SortTask", {"length": -1}, "length .* not -1"),
    ],
)
def test_sizes_that_cannot_be(t, name, fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(t, name)(**fields)


def test_more_symbols_than_places_are_fine_with_repetition(t) -> None:
    assert t.SortTask(symbols=3, length=6, distinct=False).sample(4, 0).tokens.shape == (4, 13)
