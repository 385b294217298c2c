"""What the tests of generation share: the rooms, and a small model with opinions."""

import pytest


@pytest.fixture
def tfs():
    import tfs

    return tfs


@pytest.fixture
def decoding():
    import tfs.decoding

    return tfs.decoding


@pytest.fixture
def model(tfs):
    def make(**changes):
        sizes = dict(n_layers=2, d_model=32, n_ctx=12, n_heads=4, d_head=8, d_vocab=50)
        choices = dict(act_fn="gelu_new", initializer_range=0.4, seed=3)
        return tfs.DecoderOnly(tfs.TransformerConfig(**(sizes | choices | changes)))

    return make
