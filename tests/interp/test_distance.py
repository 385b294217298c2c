"""Rotary positions and ALiBi inside attention, against the models' own and against formulas."""

import math

import pytest
import torch


@pytest.fixture
def run(tiny_config, randomised, tokens_for):
    """run(**fields) -> a model, its activations on one sequence."""

    def of(**fields):
        cfg = tiny_config(**({"n_heads": 4, "d_head": 6} | fields))
        model = randomised(cfg).requires_grad_(False)
        return model, model.run_with_cache(tokens_for(cfg)[:1], remove_batch_dim=True)[1]

    return of


@pytest.mark.parametrize("adjacent", [False, True])
@pytest.mark.parametrize("rotary_dim", [6, 2])
def test_a_query_is_turned_as_the_model_turns_it(interp, run, adjacent, rotary_dim):
    from tfs.angles import rotary_angles

    rotary = {"positional_embedding_type": "rotary", "rotary_dim": rotary_dim}
    model, cache = run(**rotary, rotary_adjacent_pairs=adjacent)
    q, turned = cache["q", 1], cache["rot_q", 1]
    angles = rotary_angles(len(q), rotary_dim)
    for pos in range(len(q)):
        at_all_places = interp.turned_to_places(q[pos, 2], angles, adjacent)
        torch.testing.assert_close(at_all_places[pos], turned[pos, 2], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("key_heads", [None, 2])
def test_in_place_the_score_is_the_runs_and_distance_is_all(interp, run, key_heads):
    model, cache = run(positional_embedding_type="rotary", n_key_value_heads=key_heads)
    scores = interp.attention_steps(model, cache, 1).scores[3]
    for query, key in ((5, 2), (4, 4), (6, 0)):
        places = interp.scores_by_places(model, cache, 1, 3, query, key, 8)
        torch.testing.assert_close(places[query, key], scores[query, key], atol=1e-5, rtol=1e-5)
        assert interp.spread_of_diagonals(places) < 1e-5
        assert places[0].std() > 1e-3, "another distance, another score"


def test_a_model_without_them_is_asked_what_its_own_would_make_of_them(interp, run):
    model, cache = run()
    places = interp.scores_by_places(model, cache, 0, 1, 5, 2, 4)
    q, k = cache["q", 0][5, 1].tolist(), cache["k", 0][2, 1].tolist()
    for query in range(4):
        for key in range(4):
            by_hand = 0.0
            for i in range(3):  # pair i holds entries i and i + 3
                angle = (query - key) / 10_000 ** (2 * i / 6)
                by_hand += (q[i] * k[i] + q[i + 3] * k[i + 3]) * math.cos(angle)
                by_hand += (q[i] * k[i + 3] - q[i + 3] * k[i]) * math.sin(angle)
            assert places[query, key].item() == pytest.approx(by_hand / math.sqrt(6), abs=1e-5)


def test_an_odd_head_cannot_be_turned(interp, run):
    model, cache = run(d_head=5)
    with pytest.raises(ValueError, match="d_head must be even, not 5"):
        interp.scores_by_places(model, cache, 0, 0, 1, 0, 4)


def test_the_spread_is_that_of_a_diagonal(interp):
    scores = torch.tensor([[1.0, 2.0, 9.0], [5.0, 1.5, 2.0], [7.0, 5.0, 1.0]])
    assert interp.spread_of_diagonals(scores) == 0.5


def test_how_far_back_a_head_looks(interp):
    weights = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]])
    assert interp.mean_distance(weights) == pytest.approx((0 + 0.5 + 0.75) / 3)


@pytest.mark.parametrize("window", [{}, {"use_local_attn": True, "window_size": 3}])
@pytest.mark.parametrize("kind", ["alibi", "standard"])
def test_a_bias_is_the_slope_times_the_distance(interp, run, kind, window):
    window = window and window | {"attn_types": ("local", "global")}
    model, cache = run(positional_embedding_type=kind, **window)
    steps = interp.alibi_steps(model, cache, 0)
    own = steps.weights if kind == "alibi" else steps.weights_without
    torch.testing.assert_close(own, cache["pattern", 0], atol=1e-5, rtol=1e-5)
    for head in range(4):
        for query in range(4, 6):
            for key in range(query - 2, query + 1):
                change = steps.biased[head, query, key] - steps.without[head, query, key]
                slope = 2 ** (-8 * (head + 1) / 4)
                assert change.item() == pytest.approx(-slope * (query - key), abs=1e-5)
    assert steps.biased[:, 2, 3:].isneginf().all() and steps.without[:, 2, 3:].isneginf().all()
    torch.testing.assert_close(steps.biased.softmax(-1), steps.weights)
