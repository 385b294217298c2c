"""Comparing speeds on a machine whose own speed drifts.

All contestants run in one process and take turns: A B C A B C ... A slow second then slows a whole
round, and not one contestant, so the *ratio* of two contestants within a round is steadier than
either time. What is reported is the median of those ratios, next to the median times.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

MATMUL_SIDE = 2048


@dataclass(frozen=True)
class Timings:
    """Seconds that each contestant took, round by round."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        return median(self.seconds[name])

    def times_as_fast(self, name: str, other: str) -> float:
        """Median over the rounds of other's time / name's: 2 where `name` takes half as long."""
        rounds = zip(self.seconds[name], self.seconds[other], strict=True)
        return median(theirs / own for own, theirs in rounds)

    def speed(self, name: str, tokens: int) -> str:
        """Of a call that takes so many tokens."""
        return f"{tokens / self.median(name):,.0f} tokens/s"


def take_turns(
    contestants: dict[str, Callable[[], object]], rounds: int, warm_up: int = 2
) -> Timings:
    """Call every contestant once a round, in order, and drop the warm-up rounds.

    What a call returns is freed, and garbage is collected, while no clock runs.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(warm_up + rounds):
        for name, call in contestants.items():
            gc.collect()
            started = time.perf_counter()
            result = call()
            elapsed = time.perf_counter() - started
            del result
            if number >= warm_up:
                seconds[name].append(elapsed)
    return Timings(seconds)


def large_matmul() -> Callable[[], object]:
    """A contestant that shows what the machine can do at that moment: a square float32 product.

    torch ships two libraries of matrix products, MKL and oneDNN. Which is faster depends on the
    processor (on AMD's, oneDNN by a factor of two), so both are tried and the faster one is kept.
    """
    import torch

    left, right = torch.randn(2, MATMUL_SIDE, MATMUL_SIDE)
    calls = {"MKL": lambda: torch.mm(left, right)}
    if torch.backends.mkldnn.is_available():
        linear = torch.ops.mkldnn._linear_pointwise
        calls["oneDNN"] = lambda: linear(left, right, None, "none", [], "")
    trial = take_turns(calls, rounds=3, warm_up=1)
    return calls[min(calls, key=trial.median)]


def large_matmul_flops() -> int:
    """Floating-point operations of one call of `large_matmul`."""
    return 2 * MATMUL_SIDE**3
