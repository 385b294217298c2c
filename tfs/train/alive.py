"""Who is at work in a run's directory: a lock that dies with the process that holds it.

A process id may belong to somebody else by tomorrow, and a file that says "running" stays behind
after kill -9. An flock is taken away by the operating system with the process itself.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "alive"
SECONDS_TO_WAIT = 1.0  # for one that is about to leave, or only looks


@contextmanager
def at_work(directory: Path) -> Iterator[None]:
    """Hold the directory's lock. Raises ValueError if another training holds it."""
    if not directory.is_dir():
        raise ValueError(f"there is no run in {directory}; start one before going on with it")
    file = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(file, directory)
        yield
    finally:
        os.close(file)


def _take(file: int, directory: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not _try(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            raise ValueError(
                f"another training is at work in {directory}; stop it first, or choose another "
                "directory"
            )
        time.sleep(0.01)


def somebody_is_at_work(directory: Path) -> bool:
    """Whether any process, this one included, trains in `directory` now."""
    try:
        file = os.open(directory / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _try(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
