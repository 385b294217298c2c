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
    cut = sample.logits_to_probs(probs.log(), top_k=3, top_p=0.65)
    assert torch.allclose(cut, torch.tensor([4 / 7, 3 / 7, 0.0, 0.0]))


def test_draws_follow_the_distribution(sample) -> None:
    probs = torch.tensor([[0.1, 0.6, 0.3]]).expand(20_000, -1)
    counts = sample.sample(probs, torch.Generator().manual_seed(0)).bincount(minlength=3) / 20_000
    assert torch.allclose(counts, probs[0], atol=4 * math.sqrt(0.25 / 20_000))


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
