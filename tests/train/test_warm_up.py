"""A deep post-norm model learns with the paper's warm-up, and not without it."""

import math

import pytest
import torch

PAIRS, LENGTH, LETTERS = 32, 4, 8
START, END = 0, 1
GUESS = math.log(LETTERS) * LENGTH / (LENGTH + 1)  # a blind one; the end is known


class TurnedRound:
    """32 texts of 4 letters, each to be written backwards; always the same ones."""

    name, d_vocab, n_ctx, tokenizer = "turned round", LETTERS + 2, LENGTH + 2, None

    def sample(self, n, seed, split="train"):
        from tfs.tasks.pairs import PairBatch

        letters = torch.arange(2, 2 + LETTERS)
        generator = torch.Generator().manual_seed(0)
        source = letters[torch.randint(LETTERS, (n, LENGTH), generator=generator)]
        edges = [torch.full((n, 1), mark) for mark in (START, END)]
        target = torch.cat([edges[0], source.flip(1), edges[1]], dim=1)
        counts = torch.arange(LENGTH + 2).expand(n, -1) > 0
        return PairBatch(source, torch.ones_like(source).bool(), target, counts, counts)

    def floor(self):
        return 0.0


def losses(warmup_steps, steps=150):
    """Of 6 layers that read and 6 that write, at one constant rate after the warm-up."""
    import tfs
    from tfs.train import TrainConfig
    from tfs.train.loop import update
    from tfs.train.optimizer import make_optimizer

    cfg = tfs.TransformerConfig(
        n_layers=6,
        d_model=32,
        n_heads=2,
        d_head=16,
        d_mlp=64,
        n_ctx=LENGTH + 2,
        d_vocab=LETTERS + 2,
        positional_embedding_type="sinusoidal",
        tie_word_embeddings=True,
        initializer_range=-1.0,
        seed=0,
    )
    config = TrainConfig(
        steps=steps,
        batch_size=PAIRS,
        lr=1e-2,
        warmup_steps=warmup_steps,
        schedule="constant",
        weight_decay=0.0,
    )
    task, model = TurnedRound(), tfs.EncoderDecoder(cfg)
    optimizer = make_optimizer(model, config)
    return [update(model, task, config, optimizer, step)[0] for step in range(1, steps + 1)]


@pytest.mark.slow
def test_six_layers_each_way_need_the_warm_up(one_thread) -> None:
    """Post-norm (Vaswani et al. 2017, sections 3.1 and 5.3), the same weights, batches and rate."""
    with_it, without = losses(100), losses(0)
    assert sum(with_it[-20:]) / 20 < 0.25 * GUESS
    assert sum(without[-20:]) / 20 > 0.85 * GUESS
