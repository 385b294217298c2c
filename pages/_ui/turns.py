"""Turns: who wants the processor at the same moment as others gets it after them."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One thread at a time, in the order in which they came; a lock alone would favour a few."""

    def __init__(self) -> None:
        self.changed, self.here = threading.Condition(), deque[object]()

    @contextmanager
    def taken(self, patience: float) -> Iterator[int]:
        """How many are here when it is this one's turn, itself counted; 0 where that would take
        longer than `patience`, in seconds, and it is not its turn."""
        me = object()
        with self.changed:
            self.here.append(me)
            came = self.changed.wait_for(lambda: self.here[0] is me, patience)
            count = len(self.here) if came else 0
        try:
            yield count
        finally:
            with self.changed:
                self.here.remove(me)
                self.changed.notify_all()
