"""Small models that end their texts sooner or later, and sources of different lengths."""

import pytest
import torch

START, END, PAD = 1, 2, 0


@pytest.fixture(scope="session")
def specials():
    return {"start": START, "end": END}


@pytest.fixture(scope="session")
def writer(randomised):
    """An EncoderDecoder of random weights, as Marian can be."""
    import tfs

    def make(seed=0, **fields):
        sizes = dict(n_layers=2, d_model=16, n_ctx=12, n_heads=2, d_head=8, d_vocab=13)
        choices = dict(positional_embedding_type="sinusoidal", tie_word_embeddings=True)
        cfg = tfs.TransformerConfig(**(sizes | choices | fields))
        return randomised(cfg, seed, "EncoderDecoder").requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def sources():
    """n texts, padded at the end, and which of their tokens are real."""

    def make(n, seed=0, pos=9):
        g = torch.Generator().manual_seed(seed)
        mask = (torch.arange(pos) < torch.randint(1, pos + 1, (n, 1), generator=g)).long()
        tokens = torch.randint(3, 13, (n, pos), generator=g)
        return {"tokens": torch.where(mask == 1, tokens, PAD), "one_zero_attention_mask": mask}

    return make
