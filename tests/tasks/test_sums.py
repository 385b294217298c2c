"""Addition, and addition modulo p: what is asked, and what is held out."""

import pytest
import torch


def test_sums_literally(t) -> None:
    pairs = torch.tensor([[123, 456], [999, 1], [7, 8]])
    for backwards, expected in (
        (True, ["123+456=9750", "999+001=0001", "007+008=5100"]),
        (False, ["123+456=0579", "999+001=1000", "007+008=0015"]),
    ):
        task = t.AdditionTask(digits=3, reversed=backwards)
        batch = task.batch(pairs)
        assert [task.tokenizer.decode(row) for row in batch.tokens.tolist()] == expected
        assert batch.answer_mask.int().tolist() == [[0] * 8 + [1] * 4] * 3
        assert torch.equal(batch.loss_mask, batch.answer_mask)
        assert task.carries(batch.tokens).tolist() == [0, 3, 1]


def test_carries_are_counted_column_by_column(t) -> None:
    task = t.AdditionTask(digits=4)
    batch = task.sample(300, seed=2)
    for row, carries in zip(batch.tokens.tolist(), task.carries(batch.tokens), strict=True):
        carry = expected = 0
        for a, b in zip(row[3::-1], row[8:4:-1], strict=True):
            carry = int(a + b + carry > 9)
            expected += carry
        assert carries == expected


def test_a_tenth_of_the_pairs_is_held_out_in_both_orders(t) -> None:
    task = t.AdditionTask(digits=3)
    pairs = torch.cartesian_prod(torch.arange(200), torch.arange(200))
    held_out = task.is_held_out(pairs)
    assert held_out.double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(held_out, task.is_held_out(pairs.flip(1)))
    ones = held_out.view(200, 200).double()
    assert ones.mean(0).max() < 0.25, "no number is left to the held-out side alone"
    seen = {}
    for split in ("train", "held_out"):
        rows = task.sample(2000, seed=0, split=split).tokens[:, :7]
        seen[split] = {tuple(row) for row in rows.tolist()}
    assert not seen["train"] & seen["held_out"]


@pytest.mark.parametrize("digits", [0, 9])
def test_digits_that_cannot_be(t, digits) -> None:
    with pytest.raises(ValueError, match=f"digits must lie in 1 ... 8, not {digits}"):
        t.AdditionTask(digits)
    assert t.AdditionTask(1).sample(64, 0).tokens.shape == (64, 6)


def test_a_modular_sum_literally(t) -> None:
    task = t.ModularAdditionTask(p=7, train_fraction=0.5)
    tokens, loss_mask, answer_mask = task.sample(100, seed=1)
    assert ((tokens[:, 0] + tokens[:, 1]) % 7 == tokens[:, 3]).all() and (tokens[:, 2] == 7).all()
    assert loss_mask[0].tolist() == answer_mask[0].tolist() == [False, False, False, True]
    assert task.tokenizer.str_tokens(tokens[0].tolist())[2] == "="


def test_every_pair_is_on_one_side_with_its_mirror_image(t) -> None:
    task = t.ModularAdditionTask(p=59, train_fraction=0.7)
    train, held_out = (set(map(tuple, task.pairs[s].tolist())) for s in ("train", "held_out"))
    assert len(train) + len(held_out) == 59**2 and not train & held_out
    assert len(train) == len(task.pairs["train"])
    assert len(train) / 59**2 == pytest.approx(0.7, abs=0.01)
    for side in (train, held_out):
        assert {(b, a) for a, b in side} == side
    assert {tuple(row) for row in task.sample(20_000, 0).tokens[:, :2].tolist()} <= train
    again = t.ModularAdditionTask(p=59, train_fraction=0.7)
    other = t.ModularAdditionTask(p=59, train_fraction=0.7, split_seed=1)
    assert torch.equal(again.pairs["train"], task.pairs["train"])
    assert not torch.equal(other.pairs["train"], task.pairs["train"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"p": 2}, "p must .* not 2"), ({"train_fraction": 1.0}, "train_fraction .* not 1.0")],
)
def test_modular_sizes_that_cannot_be(t, fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        t.ModularAdditionTask(**fields)
