"""Batches that can be asked for by number, so that a stopped training finds its place again."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np

from tfs.numpy_engine.tensor import Tensor

Batch = tuple[Tensor, ...]


@runtime_checkable
class HasBatches(Protocol):
    """All that training asks of its data."""

    def at(self, position: int) -> Batch:
        """Batch number `position`, from 0 on without end; the same whenever it is asked for."""
        ...


class Batches:
    """Rows of one or more arrays, shuffled anew for each pass, batch_size at a time.

    To iterate is to make one pass, the first, and always the same; `at` goes on through pass after
    pass. The last batch of a pass holds what is left. Raises ValueError where there are no rows, or
    the arrays have different numbers of them.
    """

    def __init__(self, arrays: tuple[np.ndarray, ...], batch_size: int, seed: int = 0) -> None:
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"each array needs the same number of rows, at least 1; these have "
                f"{', '.join(str(len(array)) for array in arrays) or 'none'}"
            )
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.arrays, self.batch_size, self.seed = arrays, batch_size, seed
        self._order = lru_cache(maxsize=1)(self._shuffled)

    def __len__(self) -> int:
        """Batches of one pass."""
        return -(-len(self.arrays[0]) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return (self.at(position) for position in range(len(self)))

    def at(self, position: int) -> Batch:
        passed, number = divmod(position, len(self))
        order = self._order(passed)[number * self.batch_size : (number + 1) * self.batch_size]
        return tuple(Tensor(array[order]) for array in self.arrays)

    def _shuffled(self, passed: int) -> np.ndarray:
        return np.random.default_rng((self.seed, passed)).permutation(len(self.arrays[0]))


class MirrorBatches:
    """The mirror task of tfs.tasks: random tokens, then the same backwards; 41 7 93 93 7 41.

    A batch is (tokens [batch n_ctx],).
    """

    def __init__(
        self, d_vocab: int = 100, n_ctx: int = 16, batch_size: int = 64, seed: int = 0
    ) -> None:
        if n_ctx < 2 or n_ctx % 2:
            raise ValueError(
                f"n_ctx must be even, for two halves of one token or more, not {n_ctx}"
            )
        self.d_vocab, self.n_ctx, self.batch_size, self.seed = d_vocab, n_ctx, batch_size, seed

    def at(self, position: int) -> Batch:
        generator = np.random.default_rng((self.seed, position))
        half = generator.integers(self.d_vocab, size=(self.batch_size, self.n_ctx // 2))
        return (Tensor(np.concatenate([half, half[:, ::-1]], axis=1)),)

    def floor(self) -> float:
        """The lowest loss that can be, (n_ctx / 2 - 1) / (n_ctx - 1) ln d_vocab in nats per token.

        Of the n_ctx - 1 tokens that are predicted, those of the first half can only be guessed.
        """
        return (self.n_ctx / 2 - 1) / (self.n_ctx - 1) * math.log(self.d_vocab)
