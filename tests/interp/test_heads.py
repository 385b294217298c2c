import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st


def attending(targets, pos):
    """A pattern [1 pos pos] whose query i looks at targets[i] only."""
    return torch.nn.functional.one_hot(torch.tensor(targets), pos).float()[None]


def test_a_perfect_head_of_each_kind(interp):
    tokens = torch.tensor([5, 7, 8, 5, 7, 8])
    previous = attending([0, 0, 1, 2, 3, 4], 6)
    duplicate = attending([0, 0, 0, 0, 1, 2], 6)
    induction = attending([0, 0, 0, 1, 2, 3], 6)
    kinds = {"previous token": previous, "duplicate token": duplicate, "induction": induction}
    for name, score in interp.HEAD_SCORES.items():
        assert {kind: score(p, tokens).item() for kind, p in kinds.items() if kind == name} == {
            name: 1
        }
    assert interp.induction_score(previous, tokens).item() == pytest.approx(0)
    assert interp.duplicate_token_score(induction, tokens).item() == 0


def test_a_perfect_head_on_a_mirrored_sequence(interp):
    tokens = torch.tensor([[5, 7, 8, 8, 7, 5], [5, 7, 8, 8, 7, 6]])
    perfect = attending([0, 0, 2, 1, 0, 0], 6)  # at 2, 3 and 4 it looks at what comes next
    half = attending([0, 0, 2, 1, 1, 0], 6)
    assert interp.mirror_score(torch.stack([perfect, half]), tokens)[0].item() == 1
    assert interp.mirror_score(half, tokens[0]).item() == pytest.approx(2 / 3)
    assert interp.mirror_score(half, tokens[1]).isnan().all(), "not a mirrored sequence"
    assert interp.mirror_score(perfect[:, :5, :5], torch.tensor([5, 7, 8, 7, 5])).isnan().all()


def test_a_mirrored_sequence_that_is_cut_short(interp):
    tokens = torch.tensor([5, 7, 8, 9, 9, 8])  # 7 and 5 have to follow
    perfect = attending([0, 0, 0, 3, 2, 1], 6)
    assert interp.mirror_score(perfect, tokens).item() == 1
    assert interp.mirror_score(attending([0, 0, 0, 3, 2, 2], 6), tokens).item() == (
        pytest.approx(2 / 3)
    ), "the last query, which nothing follows yet, counts too"
    assert interp.mirror_score(perfect[:, :5, :5], tokens[:5]).isnan().all(), "a quarter is there"
    both = torch.stack([tokens, tokens.flip(0)])
    scores = interp.mirror_score(torch.stack([perfect, perfect]), both)
    assert scores[0].item() == 1 and scores[1].isnan(), "each sequence has a middle of its own"
    empty = torch.zeros(1, 0, 0)
    assert interp.mirror_score(empty, torch.zeros(0, dtype=torch.long)).isnan().all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=9))
def test_a_middle_is_found_as_by_trying_each(interp, tokens):
    pos = len(tokens)
    middles = [
        half
        for half in range(1, pos)
        if pos / 2 <= half <= 2 * (pos - half)
        and all(tokens[half + i] == tokens[half - 1 - i] for i in range(pos - half))
    ]
    uniform = torch.full((1, pos, pos), 1.0)
    score = interp.mirror_score(uniform, torch.tensor(tokens))
    assert score.isnan().item() == (not middles)
    for half in middles[:1]:
        only = torch.zeros(1, pos, pos)
        for query in range(half - 1, pos):
            if 2 * half - 2 - query >= 0:
                only[0, query, 2 * half - 2 - query] = 1
        assert interp.mirror_score(only, torch.tensor(tokens)).item() == 1
        assert interp.mirror_score(uniform - only, torch.tensor(tokens)).item() == 0


def test_attention_to_several_copies_adds_up(interp):
    tokens = torch.tensor([1, 2, 1, 3, 1])
    pattern = torch.full((1, 5, 5), 0.0)
    pattern[0, 2, 0] = 0.5  # query 2 has one copy, at 0; what came after it is at 1
    pattern[0, 4, [0, 2]] = 0.3  # query 4 has two
    pattern[0, 4, [1, 3]] = 0.2
    assert interp.duplicate_token_score(pattern, tokens).item() == pytest.approx((0.5 + 0.6) / 2)
    assert interp.induction_score(pattern, tokens).item() == pytest.approx((0 + 0.4) / 2)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(0, 100))
def test_scores_are_the_definition_written_as_loops(tokens, seed):
    from tfs.interp import HEAD_SCORES

    pos = len(tokens)
    g = torch.Generator().manual_seed(seed)
    hidden = ~torch.ones(pos, pos).tril().bool()
    pattern = torch.randn(2, pos, pos, generator=g).masked_fill(hidden, -torch.inf).softmax(-1)
    wanted = {
        "previous token": lambda q, k: k == q - 1,
        "duplicate token": lambda q, k: k < q and tokens[k] == tokens[q],
        "induction": lambda q, k: 1 <= k <= q and tokens[k - 1] == tokens[q],
    }
    for name, score in HEAD_SCORES.items():
        means = []
        for q in range(pos):
            keys = [k for k in range(pos) if wanted[name](q, k)]
            means += [pattern[:, q, keys].sum(-1)] if keys else []
        found = score(pattern, torch.tensor(tokens))
        expected = torch.stack(means).mean(0) if means else torch.full((2,), math.nan)
        torch.testing.assert_close(found, expected, equal_nan=True)
        assert found.isnan().all() or ((found >= 0) & (found <= 1 + 1e-6)).all()


def test_head_scores_of_a_model(interp, either):
    model, _, _, _ = either()
    tokens = torch.tensor([[1, 2, 3, 4, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]])
    scores = interp.head_scores(model, tokens)
    assert list(scores) == list(interp.HEAD_SCORES)
    _, cache = model.run_with_cache(tokens)
    for name, table in scores.items():
        assert table.shape == (2, 3)
        assert not table.isnan().any()  # the sequence without a repetition is left out
        one = interp.HEAD_SCORES[name](cache["pattern", 1][:1], tokens[:1])[0]
        if name != "previous token":
            torch.testing.assert_close(table[1], one.detach())


def test_without_a_repetition_there_is_nothing_to_measure(interp, either):
    model, _, _, _ = either()
    scores = interp.head_scores(model, torch.arange(8)[None])
    assert scores["induction"].isnan().all()
    assert scores["duplicate token"].isnan().all()
    assert not scores["previous token"].isnan().any()
