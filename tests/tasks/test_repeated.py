import math

import pytest
import torch

SIZES = [
    {"d_vocab": 256, "n_ctx": 48, "shortest": 8, "longest": 24},
    {"d_vocab": 9, "n_ctx": 12, "shortest": 2, "longest": 5},
    {"d_vocab": 12, "n_ctx": 9, "shortest": 3, "longest": 8},  # the longest is never repeated
    {"d_vocab": 6, "n_ctx": 20, "shortest": 1, "longest": 5},  # the longest uses every symbol
    {"d_vocab": 30, "n_ctx": 15, "shortest": 6, "longest": 6},
]


@pytest.fixture(scope="module", params=SIZES, ids=lambda sizes: "-".join(map(str, sizes.values())))
def task(request):
    from tfs.tasks import RepeatedTokensTask

    return RepeatedTokensTask(**request.param)


def block_length(sequence):
    """Where the first token of the block comes again; the whole sequence if nowhere."""
    places = sequence[1:].tolist()
    return places.index(places[0], 1) if places[0] in places[1:] else len(places)


def test_a_block_of_distinct_tokens_tiled_after_the_start_token(task):
    tokens, loss_mask, answer_mask = task.sample(400, seed=1)
    assert tokens.shape == (400, task.n_ctx) and (tokens[:, 0] == 0).all()
    assert tokens[:, 1:].min() >= 1 and tokens.max() < task.d_vocab
    for sequence, answers in zip(tokens, answer_mask, strict=True):
        length = block_length(sequence)
        block = sequence[1 : 1 + length].tolist()
        assert len(set(block)) == length
        tiled = (block * task.n_ctx)[: task.n_ctx - 1]
        assert sequence[1:].tolist() == tiled
        assert answers.tolist() == [pos > length + 1 for pos in range(task.n_ctx)]
    assert not loss_mask[:, 0].any() and loss_mask[:, 1:].all()


def test_every_block_length_comes_about_equally_often(task):
    lengths = [block_length(sequence) for sequence in task.sample(2000, seed=2).tokens]
    n_lengths = task.longest - task.shortest + 1
    assert set(lengths) == set(range(task.shortest, task.longest + 1))
    deviation = 5 * math.sqrt(2000 / n_lengths)
    for length in set(lengths):
        assert abs(lengths.count(length) - 2000 / n_lengths) <= deviation


def test_a_batch_is_a_function_of_its_seed(task):
    draws = [task.sample(8, seed).tokens for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def nats(task, sequence):
    """-ln p(sequence) by Bayes' rule: every block length that agrees with it, equally likely."""
    places, symbols = sequence[1:].tolist(), task.d_vocab - 1
    total = 0.0
    for length in range(task.shortest, task.longest + 1):
        block = places[:length]
        tiled = (block * len(places))[: len(places)]
        if tiled == places and len(set(block)) == len(block):
            total += math.prod(1 / (symbols - i) for i in range(min(length, len(places))))
    return -math.log(total / (task.longest - task.shortest + 1))


def test_the_floor_is_what_bayes_rule_gives(task):
    """Exactly, where every length weighs the same; within the sampling error on a sample."""
    tokens = task.sample(1500, seed=5).tokens
    by_length = {}
    costs = torch.tensor([nats(task, sequence) for sequence in tokens], dtype=torch.float64)
    for sequence, cost in zip(tokens, costs.tolist(), strict=True):
        by_length.setdefault(block_length(sequence), set()).add(round(cost, 9))
    assert all(len(cost) == 1 for cost in by_length.values())
    exact = sum(cost.pop() for cost in by_length.values()) / len(by_length) / (task.n_ctx - 1)
    assert task.floor() == pytest.approx(exact, abs=1e-9)
    standard_error = (costs.std() / math.sqrt(len(costs)) / (task.n_ctx - 1)).item()
    sampled = costs.mean().item() / (task.n_ctx - 1)
    assert task.floor() == pytest.approx(sampled, abs=5 * standard_error + 1e-9)


@pytest.mark.parametrize(
    "fields",
    [
        {"shortest": 0},
        {"shortest": 25},
        {"longest": 48},
        {"longest": 40, "d_vocab": 40},
    ],
)
def test_block_lengths_that_cannot_be(fields):
    from tfs.tasks import RepeatedTokensTask

    (field, number), *_ = fields.items()
    with pytest.raises(ValueError, match=f"{field} = {number}"):
        RepeatedTokensTask(**fields)
