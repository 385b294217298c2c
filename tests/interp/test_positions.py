import math

import pytest
import torch


@pytest.mark.parametrize("n_ctx, d_model", [(8, 12), (1024, 6), (5, 7), (1, 1)])
def test_sinusoidal_is_the_formula_of_the_paper(interp, n_ctx, d_model):
    W_pos = interp.sinusoidal(n_ctx, d_model)
    assert W_pos.dtype == torch.float32
    by_hand = torch.zeros(n_ctx, d_model)
    for pos in range(n_ctx):
        for i in range((d_model + 1) // 2):
            angle = pos / 10000 ** (2 * i / d_model)
            by_hand[pos, 2 * i] = math.sin(angle)
            if 2 * i + 1 < d_model:
                by_hand[pos, 2 * i + 1] = math.cos(angle)
    torch.testing.assert_close(W_pos, by_hand, atol=1e-6, rtol=0)


def test_sinusoidal_refuses_sizes_below_one(interp):
    with pytest.raises(ValueError, match="at least 1, not 0 and 4"):
        interp.sinusoidal(0, 4)


def test_similarity_is_the_mean_over_all_pairs_at_a_distance(interp):
    W_pos = torch.randn(9, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    mean, spread = interp.similarity_by_distance(W_pos)
    assert mean.shape == spread.shape == (9,)
    rows = W_pos.detach()
    for distance in range(9):
        cosines = []
        for pos in range(9 - distance):
            a, b = rows[pos], rows[pos + distance]
            cosines.append((a @ b / (a @ a).sqrt() / (b @ b).sqrt()).item())
        average = sum(cosines) / len(cosines)
        variance = sum((cosine - average) ** 2 for cosine in cosines) / len(cosines)
        assert mean[distance].item() == pytest.approx(average, abs=1e-5)
        assert spread[distance].item() == pytest.approx(variance**0.5, abs=1e-5)
    assert spread[-1] == 0
    assert not mean.requires_grad


def test_sines_are_as_similar_as_their_distance_says(interp):
    mean, spread = interp.similarity_by_distance(interp.sinusoidal(50, 12))
    for distance in range(50):
        cosines = [math.cos(distance / 10000 ** (2 * i / 12)) for i in range(6)]
        assert mean[distance].item() == pytest.approx(sum(cosines) / 6, abs=1e-5)
    assert spread.max() < 1e-5


@pytest.mark.parametrize("d_model", [2, 6, 128])
@pytest.mark.parametrize("distance", [1, 7, 60])
def test_one_rotation_takes_every_position_as_far(interp, distance, d_model):
    W_pos = interp.sinusoidal(200, d_model)
    rotation = interp.sinusoidal_rotation(distance, d_model)
    torch.testing.assert_close(W_pos[:-distance] @ rotation, W_pos[distance:], atol=2e-6, rtol=0)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(d_model), atol=1e-6, rtol=0)
    for i in range(d_model // 2):  # a turn by this angle, for the pair in columns 2i and 2i + 1
        pair = rotation[2 * i : 2 * i + 2, 2 * i : 2 * i + 2]
        angle = distance / 10000 ** (2 * i / d_model)
        by_hand = torch.tensor(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        torch.testing.assert_close(pair, by_hand, atol=1e-6, rtol=0)


@pytest.mark.parametrize("d_model", [0, 1, 7])
def test_a_sine_without_its_cosine_cannot_be_turned(interp, d_model):
    with pytest.raises(ValueError, match=f"even and at least 2, not {d_model}"):
        interp.sinusoidal_rotation(1, d_model)
