"""The runs of an experiment, one after the other, in a library's queue.

Only one of them stands in the queue at a time, so that an experiment of twelve runs does not keep a
class waiting. What has been begun is written down, in sets/<name>.json below the library's root; a
set whose server was stopped goes on when it is asked to.
"""

import re
import secrets
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from tfs.train.entry import owner_hash
from tfs.train.experiment import Experiment, PlannedRun
from tfs.train.files import read_json, write_json
from tfs.train.outcomes import Outcome, results
from tfs.train.recipe import Recipe
from tfs.train.run_library import RESUMABLE, Library

SET_NAME = re.compile(r"set-[0-9a-f]{16}")
SECONDS_BETWEEN_LOOKS = 0.1


class RunSet(NamedTuple):
    """An experiment that was begun here.

    runs     its planned runs by folder, and the names of their directories; None before its turn
    is_going_on   whether this server is doing it now
    why_not  the sentence that ended it, if one did
    """

    name: str
    experiment: Experiment
    owner_hash: str
    created: float
    runs: dict[str, str | None]
    is_going_on: bool
    why_not: str

    @property
    def begun(self) -> list[str]:
        return [name for name in self.runs.values() if name]


class RunSets:
    """Safe to use from many threads; one per library."""

    def __init__(self, library: Library) -> None:
        self.run_library = library
        self.folder = library.root / "sets"
        self.lock = threading.RLock()
        self.stopping: dict[str, threading.Event] = {}

    def begin(self, experiment: Experiment, owner: str) -> str:
        """Start an experiment; returns its name, 64 random bits and the only key to it.

        Raises ValueError where a recipe of it cannot be.
        """
        planned = experiment.runs()
        name = f"set-{secrets.token_hex(8)}"
        self._write(
            name,
            {
                "experiment": experiment.to_dict(),
                "owner": owner_hash(owner),
                "created": time.time(),
                "runs": {run.folder: None for run in planned},
                "first stages": {},
                "why not": "",
            },
        )
        self.go_on(name, owner)
        return name

    def go_on(self, name: str, owner: str) -> None:
        """Do what is left. Raises ValueError if there is no such set, or it is somebody else's."""
        with self.lock:
            kept = self._read(name)
            if kept["owner"] != owner_hash(owner):
                raise ValueError("only who began an experiment can go on with it; begin one anew")
            if name in self.stopping:
                return
            self._write(name, kept | {"why not": ""})
            self.stopping[name] = threading.Event()
        threading.Thread(target=self._drive, args=(name, owner), name=name, daemon=True).start()

    def stop(self, name: str) -> None:
        """Stop the run at hand; those to come are not begun."""
        with self.lock:
            if name in self.stopping:
                self.stopping[name].set()

    def entry(self, name: str) -> RunSet:
        """Raises ValueError if there is no such set."""
        kept = self._read(name)
        return RunSet(
            name=name,
            experiment=Experiment.from_dict(kept["experiment"]),
            owner_hash=kept["owner"],
            created=kept["created"],
            runs=kept["runs"],
            is_going_on=name in self.stopping,
            why_not=kept["why not"],
        )

    def entries(self, owner: str) -> list[RunSet]:
        """This owner's and nobody else's, newest first."""
        mine, found = owner_hash(owner), []
        for path in self.folder.glob("set-*.json"):
            if read_json(path)["owner"] == mine:
                found.append(self.entry(path.stem))
        return sorted(found, key=lambda each: each.created, reverse=True)

    def outcomes(self, name: str) -> list[Outcome]:
        """What has come out so far, a run that was deleted left out."""
        one = self.entry(name)
        places = {folder: run and self.run_library.root / run for folder, run in one.runs.items()}
        there = [
            path if (path := places[run.folder]) and path.is_dir() else None
            for run in one.experiment.runs()
        ]
        return results(one.experiment.runs(), there, one.experiment.threshold)

    def _drive(self, name: str, owner: str) -> None:
        """In a thread of its own: every run to its end, until all are done or it shall stop."""
        stopping = self.stopping[name]
        try:
            for run in self.entry(name).experiment.runs():
                parent = self._first_stage(name, run, owner, stopping)
                if not stopping.is_set():
                    self._do(name, "runs", run.folder, run.recipe, owner, parent, stopping)
                if stopping.is_set():
                    break
        except (ValueError, OSError) as error:
            self._write(name, self._read(name) | {"why not": str(error)})
        finally:
            with self.lock:
                del self.stopping[name]

    def _first_stage(
        self, name: str, run: PlannedRun, owner: str, stopping: threading.Event
    ) -> tuple[str, int] | None:
        """Train what comes before, once for a seed; the run and step to begin with."""
        if run.before is None:
            return None
        seed = str(run.seed)
        origin = self._do(name, "first stages", seed, run.before, owner, None, stopping)
        return origin, run.begin_at

    def _do(
        self,
        name: str,
        part: str,
        which: str,
        recipe: Recipe,
        owner: str,
        parent: tuple[str, int] | None,
        stopping: threading.Event,
    ) -> str:
        """One training, from wherever it stands to its end; returns its name in the library."""
        run = self._read(name)[part].get(which)
        state = self._state(run)
        if state in RESUMABLE and state != "failed":
            job = self.run_library.resume(run)
        elif state == "":
            job = self.run_library.start(recipe, owner, title=recipe.name, parent=parent)
            run = job.directory.name
            with self.lock:
                kept = self._read(name)
                kept[part][which] = run
                self._write(name, kept)
        else:
            job = self.run_library.job(run)
        while job is not None and not job.status().is_over:
            if stopping.is_set():
                job.stop()
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return run

    def _state(self, run: str | None) -> str:
        """A run's state; empty where it was not begun, or was deleted."""
        try:
            return self.run_library.entry(run).state if run else ""
        except ValueError:
            return ""

    def _path(self, name: str) -> Path:
        if not SET_NAME.fullmatch(name) or not (path := self.folder / f"{name}.json").is_file():
            raise ValueError(f"there is no experiment {name[:40]!r} on this server; begin one")
        return path

    def _read(self, name: str) -> dict[str, Any]:
        with self.lock:
            return read_json(self._path(name))

    def _write(self, name: str, kept: dict[str, Any]) -> None:
        with self.lock:
            write_json(self.folder / f"{name}.json", kept)
