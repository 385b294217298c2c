"""What the tests of the encoder models share: padded batches, and how near numbers must be."""

import pytest
import torch

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


@pytest.fixture(scope="session")
def padded():
    """Shape -> 1 for tokens and 0 for padding at the end; the first row is full, none is empty."""

    def make(batch, pos, seed=0):
        g = torch.Generator().manual_seed(seed)
        lengths = torch.randint(1, pos + 1, (batch,), generator=g)
        lengths[0] = pos
        return (torch.arange(pos) < lengths[:, None]).long()

    return make


@pytest.fixture(scope="session")
def assert_same():
    """Equal to 1e-5 in float32; a score of -inf may be a huge negative number there."""

    def check(ours, theirs, what):
        hidden = ours.isneginf()
        assert (theirs[hidden] < -1e30).all(), what
        tolerance = TOLERANCE[ours.dtype]
        torch.testing.assert_close(
            ours.masked_fill(hidden, 0.0),
            theirs.masked_fill(hidden, 0.0),
            rtol=tolerance,
            atol=tolerance,
            msg=lambda text: f"{what}: {text}",
        )

    return check


@pytest.fixture(scope="session")
def encoder(tiny_config, randomised):
    """encoder(**fields): an EncoderOnly with random weights."""

    def make(**fields):
        return randomised(tiny_config(**fields), 0, "EncoderOnly")

    return make
