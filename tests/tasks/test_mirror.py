import math

import pytest
import torch


@pytest.fixture(scope="module")
def mirror():
    from tfs.tasks import MirrorTask

    return MirrorTask


def test_the_second_half_is_the_first_mirrored(mirror):
    tokens = mirror().sample(100, seed=1).tokens
    assert tokens.shape == (100, 16) and tokens.dtype == torch.long
    assert torch.equal(tokens[:, 8:], tokens[:, :8].flip(1))


def test_the_masks_literally(mirror):
    tokens, loss_mask, answer_mask = mirror(d_vocab=5, n_ctx=6).sample(1, seed=0)
    assert tokens[0, :3].tolist() == tokens[0, 3:].flip(0).tolist()
    assert loss_mask.int().tolist() == [[0, 1, 1, 1, 1, 1]]
    assert answer_mask.int().tolist() == [[0, 0, 0, 1, 1, 1]]
    assert mirror(n_ctx=6).answer_positions == [3, 4, 5]


def test_a_batch_is_a_function_of_its_seed(mirror):
    task = mirror()
    draws = [task.sample(8, seed).tokens for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(mirror().sample(8, 3).tokens, draws[0])


def test_sampling_leaves_torchs_own_generator_alone(mirror):
    before = torch.get_rng_state()
    mirror().sample(8, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_first_half_is_uniform(mirror):
    n, d_vocab = 20_000, 10
    counts = mirror(d_vocab, 4).sample(n, 0).tokens[:, :2].flatten().bincount(minlength=d_vocab)
    expected = 2 * n / d_vocab
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert chi_square < 27.9  # 9 degrees of freedom: 0.1% of fair draws are above


def test_a_start_token_stands_first_and_is_never_drawn(mirror):
    tokens, loss_mask, answer_mask = mirror(4, 7, start_token=True).sample(3000, seed=1)
    assert tokens.shape == (3000, 7) and not tokens[:, 0].any()
    assert torch.equal(tokens[:, 4:], tokens[:, 1:4].flip(1))
    counts = tokens[:, 1:4].flatten().bincount(minlength=4).tolist()
    assert counts[0] == 0 and all(abs(count - 3000) < 250 for count in counts[1:])
    assert loss_mask[0].int().tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert answer_mask[0].int().tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert mirror(4, 7, start_token=True).floor() == pytest.approx(math.log(3) / 2)


def test_without_a_start_token_the_strings_are_as_ever(mirror):
    half = torch.randint(100, (5, 8), generator=torch.Generator().manual_seed(3))
    assert torch.equal(mirror().sample(5, 3).tokens[:, :8], half)


def test_the_floor(mirror):
    assert mirror().floor() == pytest.approx(7 / 15 * math.log(100))
    assert mirror().floor() == pytest.approx(2.149079, abs=1e-6)


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize(("d_vocab", "n_ctx"), [(100, 16), (7, 4), (3, 2)])
def test_the_ideal_predictor_reaches_the_floor(mirror, d_vocab, n_ctx, start):
    """Uniform over the first half, certain of the second from what came before."""
    from tfs.train.loss import next_token_loss

    task = mirror(d_vocab, n_ctx + start, start)
    batch = task.sample(50, seed=2)
    logits = torch.zeros(50, n_ctx + start, d_vocab)
    if start:
        logits[..., 0] = -torch.inf
    for pos in range(n_ctx // 2 - 1, n_ctx - 1):  # predicts pos + 1, the twin of n_ctx - 2 - pos
        logits[torch.arange(50), pos + start, batch.tokens[:, n_ctx - 2 - pos + start]] = 1e4
    loss = next_token_loss(logits, batch.tokens, batch.loss_mask).item()
    assert loss == pytest.approx(task.floor(), abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"d_vocab": 1}, "d_vocab .* not 1"),
        ({"n_ctx": 7}, "n_ctx .* not 7"),
        ({"n_ctx": 0}, "n_ctx must be even, for two halves of one token or more, not 0"),
        ({"start_token": True}, "n_ctx must be odd, for a start token and two halves .* not 16"),
        ({"n_ctx": 1, "start_token": True}, "n_ctx must be odd, .* not 1"),
        ({"d_vocab": 2, "n_ctx": 5, "start_token": True}, "at least 3 .* start token .* not 2"),
    ],
)
def test_sizes_that_cannot_be(mirror, fields, message):
    with pytest.raises(ValueError, match=message):
        mirror(**fields)
