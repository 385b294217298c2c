"""The road from logits to the distribution that is drawn from, stop by stop."""

import itertools
import math

import pytest
import torch


@pytest.fixture
def sample():
    import tfs.sample

    return tfs.sample


TIED = torch.tensor([1.0, 3.0, 2.0, 3.0, -1.0])
RANDOM = torch.randn(200, generator=torch.Generator().manual_seed(0)) * 3
SETTINGS = list(itertools.product([0, 0.3, 1.0, 2.5], [None, 1, 3, 999], [None, 0.01, 0.6, 1.0]))


@pytest.mark.parametrize("logits", [TIED, RANDOM, torch.zeros(4)], ids=["tied", "random", "flat"])
def test_the_end_is_exactly_what_generation_draws_from(sample, logits) -> None:
    for temperature, top_k, top_p in SETTINGS:
        steps = sample.sampling_steps(logits, float(temperature), top_k, top_p)
        assert torch.equal(
            steps.after_top_p, sample.logits_to_probs(logits, float(temperature), top_k, top_p)
        )


def test_every_stop_follows_from_the_one_before(sample) -> None:
    logits = torch.tensor([0.5, 0.2, 0.2, 0.1]).log()
    steps = sample.sampling_steps(logits, 0.5, top_k=3, top_p=0.8)
    squared = torch.tensor([25, 4, 4, 1]) / 34  # temperature 1/2 squares, then softmax rescales
    assert torch.equal(steps.logits, logits)
    assert torch.allclose(steps.scaled, 2 * logits)
    assert torch.allclose(steps.probs, squared)
    assert torch.allclose(steps.after_top_k, torch.tensor([25, 4, 4, 0]) / 33)
    assert torch.allclose(steps.after_top_p, torch.tensor([25, 4, 0, 0]) / 29)
    assert steps.cut_by_top_k == pytest.approx(1 / 34)
    assert steps.cut_by_top_p == pytest.approx(4 / 33)


def test_top_p_sees_what_top_k_left_scaled_to_one(sample) -> None:
    """Of 0.5, 0.1, 0.1 and a tail: 0.9 of all would keep the three, 0.8 of them keeps two."""
    logits = torch.tensor([0.5, 0.1, 0.1, 0.1, 0.1, 0.1]).log()
    steps = sample.sampling_steps(logits, 1.0, top_k=3, top_p=0.8)
    assert (steps.after_top_k > 0).sum() == 3 and (steps.after_top_p > 0).sum() == 2
    assert steps.cut_by_top_k == pytest.approx(0.3)
    assert steps.cut_by_top_p == pytest.approx(1 / 7)


def test_each_cut_is_a_share_of_what_it_sees(sample) -> None:
    for temperature, top_k, top_p in SETTINGS:
        steps = sample.sampling_steps(RANDOM, float(temperature), top_k, top_p)
        for seen, left, cut in [
            (steps.probs, steps.after_top_k, steps.cut_by_top_k),
            (steps.after_top_k, steps.after_top_p, steps.cut_by_top_p),
        ]:
            assert float(left.sum()) == pytest.approx(1, abs=1e-5)
            assert float(seen[left > 0].sum()) + cut == pytest.approx(1, abs=1e-5)
        if top_k is None or top_k == 999:
            assert steps.cut_by_top_k == 0
        if top_p is None:
            assert steps.cut_by_top_p == 0


def test_temperature_zero_leaves_the_first_largest_before_any_cut(sample) -> None:
    steps = sample.sampling_steps(TIED, 0.0, top_k=2, top_p=0.5)
    assert steps.scaled.tolist() == [-math.inf, 0, -math.inf, -math.inf, -math.inf]
    for stop in (steps.probs, steps.after_top_k, steps.after_top_p):
        assert stop.tolist() == [0, 1, 0, 0, 0]
    assert steps.cut_by_top_k == steps.cut_by_top_p == 0


def test_a_small_temperature_comes_close_to_zero(sample) -> None:
    near, limit = (sample.sampling_steps(RANDOM, t).probs for t in (1e-3, 0.0))
    assert torch.allclose(near, limit)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [({"temperature": -1.0}, "temperature"), ({"top_k": 0}, "top_k"), ({"top_p": 2.0}, "top_p")],
)
def test_what_cannot_be_is_refused_by_name(sample, arguments, names) -> None:
    with pytest.raises(ValueError, match=names):
        sample.sampling_steps(TIED, **arguments)
