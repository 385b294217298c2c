"""logits -> probabilities -> token."""

import math

import pytest
import torch


@pytest.fixture
def sample():
    import tfs.sample

    return tfs.sample


LOGITS = torch.tensor([[1.0, 3.0, 2.0, 3.0, -1.0], [0.0, 0.0, 0.0, 0.0, 0.0]])


def test_temperature_divides_the_logits(sample) -> None:
    assert torch.allclose(sample.logits_to_probs(LOGITS, 0.5), (LOGITS / 0.5).softmax(-1))


def test_temperature_zero_is_the_first_largest(sample) -> None:
    probs = sample.logits_to_probs(LOGITS, 0.0)
    assert probs.tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]


@pytest.mark.parametrize("k", [1, 2, 3, 5, 99])
def test_top_k_keeps_exactly_k_even_in_a_tie(sample, k) -> None:
    probs = sample.logits_to_probs(LOGITS, top_k=k)
    assert (probs > 0).sum(-1).tolist() == [min(k, 5)] * 2
    assert torch.allclose(probs.sum(-1), torch.ones(2))


@pytest.mark.parametrize(
    ("p", "kept"), [(0.01, 1), (0.5, 1), (0.51, 2), (0.8, 2), (0.81, 3), (1.0, 4)]
)
def test_top_p_keeps_the_fewest_that_reach_p(sample, p, kept) -> None:
    probs = torch.tensor([[0.3, 0.05, 0.5, 0.15]])
    assert (sample.logits_to_probs(probs.log(), top_p=p) > 0).sum().item() == kept


def test_cuts_combine_and_keep_proportions(sample) -> None:
    probs = torch.tensor([0.4, 0.3, 0.2, 0.1])
    cut = sample.logits_to_probs(probs.log(), top_k=3, top_p=0.77)  # 0.7 of 0.9 is 0.777...
    assert torch.allclose(cut, torch.tensor([4 / 7, 3 / 7, 0.0, 0.0]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.8])
@pytest.mark.parametrize(("top_k", "top_p"), [(10, 0.9), (3, 0.5), (50, 0.95), (1, 0.1)])
def test_the_cuts_are_those_of_hugging_face(sample, temperature, top_k, top_p) -> None:
    """The same warpers in the order in which its generate() applies them."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = torch.randn(20, 200, generator=torch.Generator().manual_seed(1)) * 2
    warped = TemperatureLogitsWarper(temperature)(None, logits)
    for warper in (TopKLogitsWarper(top_k), TopPLogitsWarper(top_p)):
        warped = warper(None, warped)
    ours = sample.logits_to_probs(logits, temperature, top_k, top_p)
    assert torch.allclose(ours, warped.softmax(-1), atol=1e-6)
    assert torch.equal(ours > 0, warped.isfinite())


def test_draws_follow_the_distribution(sample) -> None:
    probs = torch.tensor([[0.1, 0.6, 0.3]]).expand(20_000, -1)
    counts = sample.sample(probs, torch.Generator().manual_seed(0)).bincount(minlength=3) / 20_000
    assert torch.allclose(counts, probs[0], atol=4 * math.sqrt(0.25 / 20_000))


def test_a_draw_is_made_with_the_generators_next_number_for_each_row(sample) -> None:
    probs = torch.rand(5, 30, generator=torch.Generator().manual_seed(3)).softmax(-1)
    dice, again = (torch.Generator().manual_seed(4) for _ in range(2))
    drawn = [sample.sample(probs, dice) for _ in range(3)]
    numbers = sample.throw_dice(15, again).reshape(3, 5)
    for tokens, row in zip(drawn, numbers, strict=True):
        assert torch.equal(tokens, sample.draw_with(probs, row))


def test_dice_thrown_one_by_one_show_the_same_numbers(sample) -> None:
    at_once = sample.throw_dice(100, torch.Generator().manual_seed(7))
    dice = torch.Generator().manual_seed(7)
    assert torch.equal(at_once, torch.cat([sample.throw_dice(1, dice) for _ in range(100)]))


def test_draws_by_one_number_follow_the_distribution(sample) -> None:
    probs = torch.tensor([[0.1, 0.6, 0.0, 0.3], [0.25, 0.25, 0.25, 0.25]])
    numbers = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    drawn = torch.stack([sample.draw_with(probs, n.expand(2)) for n in numbers], dim=1)
    assert drawn[0].bincount(minlength=4).tolist() == [100, 600, 0, 300]
    assert drawn[1].bincount(minlength=4).tolist() == [250] * 4
    assert drawn[0].tolist() == [1] * 600 + [3] * 300 + [0] * 100  # the most likely first


def test_rounding_never_draws_what_was_cut(sample) -> None:
    probs = torch.tensor([[0.0, 0.3, 0.3, 0.0]])  # slices that end well short of 1
    assert sample.draw_with(probs, torch.tensor([0.99], dtype=torch.float64)).tolist() == [2]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"temperature": -0.1}, ["temperature", "-0.1"]),
        ({"temperature": math.inf}, ["temperature", "inf"]),
        ({"temperature": math.nan}, ["temperature", "nan"]),
        ({"top_k": 0}, ["top_k", "0"]),
        ({"top_p": 0.0}, ["top_p", "0.0"]),
        ({"top_p": 1.5}, ["top_p", "1.5"]),
    ],
)
def test_what_cannot_be_is_refused_by_name(sample, arguments, names) -> None:
    with pytest.raises(ValueError) as error:
        sample.logits_to_probs(LOGITS, **arguments)
    assert all(name in str(error.value) for name in names)


def test_a_temperature_too_small_for_float32_is_refused():
    import torch

    from tfs.sample import logits_to_probs

    logits = torch.tensor([3.0, 100.0, -50.0])
    assert torch.equal(logits_to_probs(logits, 1e-6), torch.tensor([0.0, 1.0, 0.0]))
    for temperature in (1e-50, 1e-7, -1.0):
        with pytest.raises(ValueError, match="temperature must be 0"):
            logits_to_probs(logits, temperature)


def test_top_p_of_one_keeps_everything():
    import torch

    from tfs.sample import keep_top_p

    probs = torch.randn(4096, generator=torch.Generator().manual_seed(0)).mul(9).softmax(-1)
    assert torch.equal(keep_top_p(probs, 1.0), probs)
