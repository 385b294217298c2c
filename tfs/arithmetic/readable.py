"""Large counts as people say them, with one decimal: 1.5 MiB, 124.4 M.

Bytes go by steps of 1024 (KiB, MiB, ...: IEC 80000-13), everything else by steps of 1000.
"""


def readable_bytes(n: int) -> str:
    """Bytes in the largest unit that keeps the number at 1 or above. ValueError if n < 0.

    >>> readable_bytes(512), readable_bytes(1_572_864)
    ('512 B', '1.5 MiB')
    """
    return _in_steps("bytes", n, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))


def readable_count(n: int) -> str:
    """A count in thousands K, millions M, billions B or trillions T. ValueError if n < 0.

    >>> readable_count(512), readable_count(124_439_808)
    ('512', '124.4 M')
    """
    return _in_steps("things", n, 1000, ("", "K", "M", "B", "T"))


def _in_steps(what: str, n: int, step: int, units: tuple[str, ...]) -> str:
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}: give a number of {what} that was counted")
    if n < step:
        return f"{n} {units[0]}".rstrip()
    power = 0
    while round(n / step**power, 1) >= step and power < len(units) - 1:
        power += 1
    return f"{n / step**power:,.1f} {units[power]}"
