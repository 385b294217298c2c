"""Random cases of which a quick run takes some, and CI all."""

import pytest

QUICK = 8


def seeds(n: int) -> list:
    """0 ... n - 1 for a test's or a fixture's parameters; those past the first eight are slow."""
    late = (pytest.param(seed, marks=pytest.mark.slow) for seed in range(QUICK, n))
    return [*range(min(QUICK, n)), *late]
