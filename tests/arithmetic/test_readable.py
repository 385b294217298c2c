import pytest


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_572_864, "1.5 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (3 * 1024**3, "3.0 GiB"),
        (2048 * 1024**4, "2,048.0 TiB"),
    ],
)
def test_bytes(arithmetic, n, text):
    assert arithmetic.readable_bytes(n) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0 K"),
        (999_999, "1.0 M"),
        (124_439_808, "124.4 M"),
        (291_648_307_200, "291.6 B"),
        (5 * 10**15, "5,000.0 T"),
    ],
)
def test_counts(arithmetic, n, text):
    assert arithmetic.readable_count(n) == text


@pytest.mark.parametrize("name", ["readable_bytes", "readable_count"])
def test_less_than_nothing_is_refused(arithmetic, name):
    with pytest.raises(ValueError, match="n must be at least 0, not -1"):
        getattr(arithmetic, name)(-1)
