"""Predictors to compare a loss with: known sources give the entropies that they must have."""

import math

import pytest
import torch


class Chain:
    """Tokens 0 ... 3: each is the one before plus 1, or with probability 1/4 plus 2."""

    name, d_vocab, n_ctx, tokenizer = "chain", 4, 64, None

    def sample(self, n, seed, split="train"):
        from tfs.tasks import Batch

        g = torch.Generator().manual_seed(seed)
        hops = 1 + (torch.rand(n, self.n_ctx, generator=g) < 0.25).long()
        tokens = hops.cumsum(1) % 4
        counted = torch.ones_like(tokens, dtype=torch.bool)
        counted[:, 0] = False
        return Batch(tokens, counted, counted)

    def floor(self):
        return None


def test_a_chain_costs_its_entropy_under_a_bigram_and_ln_4_without_one() -> None:
    from tfs.train.references import reference_losses

    found = reference_losses(Chain())
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert found["uniform"] == math.log(4)
    assert found["unigram"] == pytest.approx(math.log(4), rel=1e-3)
    assert found["bigram"] == pytest.approx(entropy, rel=1e-2)


@pytest.mark.parametrize(
    "name", ["mirror", "addition", "brackets", "ioi", "sort", "induction", "modular-addition"]
)
def test_who_knows_more_pays_less_and_nobody_goes_below_the_floor(name) -> None:
    from tfs.tasks import TASKS
    from tfs.train.references import reference_losses

    task = TASKS[name]()
    found = reference_losses(task)
    assert found["unigram"] <= found["uniform"] + 0.03  # a split can mislead a table
    assert task.floor() < found["bigram"] <= found["unigram"] + 0.01
    assert all(math.isfinite(loss) for loss in found.values())


def test_a_token_that_was_never_seen_costs_much_but_not_infinity() -> None:
    from tfs.tasks import TextTask
    from tfs.tokenizers import CharTokenizer
    from tfs.train.references import reference_losses

    text = "ab" * 90 + "ac" * 10  # c stands in the held-out part only
    task = TextTask(text, CharTokenizer.train(text), 8)
    found = reference_losses(task)
    assert math.log(3) < found["bigram"] < 20
