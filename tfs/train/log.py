"""Following the log of a run that may still be written, without reading it twice."""

import json
import threading
from pathlib import Path
from typing import Any


class MetricsLog:
    """The lines of a run's metrics.jsonl as they come; safe to read from many threads."""

    def __init__(self, directory: str | Path) -> None:
        self.path = Path(directory) / "metrics.jsonl"
        self.lock = threading.Lock()
        self.lines: list[dict[str, Any]] = []
        self.read_up_to, self.inode = 0, -1

    def read(self) -> list[dict[str, Any]]:
        """All whole lines so far, oldest first; a list of its own. None yet: an empty one.

        A resumed run replaces the file by a shorter one: then it is read from its beginning.
        """
        with self.lock:
            if not self.path.is_file():
                return []
            with self.path.open("rb") as file:
                now = self.path.stat()
                if now.st_ino != self.inode or now.st_size < self.read_up_to:
                    self.lines, self.read_up_to, self.inode = [], 0, now.st_ino
                file.seek(self.read_up_to)
                new, end, _ = file.read().rpartition(b"\n")
            self.lines += [json.loads(line) for line in new.splitlines()]
            self.read_up_to += len(new) + len(end)
            return list(self.lines)
