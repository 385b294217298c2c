"""All runs of a server: one directory each below a root, and the trainings that are going on.

run-<16 hex digits>/    a run (run.py) that also opens as a checkpoint, with
    recipe.json         what is trained, on what and how
    run.json            title, a hash of the owner's key, when it was made, and its parent
    status.json         what it is doing: see worker.py
    text.txt            the corpus, or the file of pairs, where its owner brought one

A directory takes its name only when it is complete; one whose name begins with a dot is being made
or taken away. The name is 64 random bits and the only key to a run of somebody else.
"""

import dataclasses
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfs.arithmetic import readable_bytes
from tfs.tasks import Task
from tfs.tasks.named import FILE_OPTIONS
from tfs.train.alive import at_work, somebody_is_at_work
from tfs.train.archive import pack, told_by, unpack
from tfs.train.branch import begin, starting_weights, with_corpus
from tfs.train.checkpoint import BUNDLED, Bundle, bundled_names, load, save
from tfs.train.entry import LONGEST_TITLE, Entry, bytes_to_come, checked_title, owner_hash, size_of
from tfs.train.files import read_json, write_json
from tfs.train.recipe import RECIPE_FILE, Recipe, fit, read_recipe, save_recipe
from tfs.train.run import last_step, logged_step, read_metrics
from tfs.train.worker import SLOTS, STATUS_FILE, Job, Slots

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # a terminal may give one of its own
RUN_FILE = "run.json"
BEFORE_ITS_START = {"state": "queued", "step": 0, "error": "", "seconds": 0.0}
BUDGET = 2 * 2**30
MOST_FINISHED_JOBS = 64
SECONDS_UNTIL_LEFT_BEHIND = 3600
RESUMABLE = ("stopped", "failed", "interrupted")
GOING_ON = ("queued", "running", "paused", "running elsewhere")


class Library:
    """Safe to use from many threads; one per server process and root."""

    def __init__(self, root: Path, budget: int = BUDGET, slots: Slots = SLOTS) -> None:
        self.root, self.budget, self.slots = Path(root), budget, slots
        self.lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        for folder in self.root.glob(".*-*"):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > SECONDS_UNTIL_LEFT_BEHIND:
                shutil.rmtree(folder, ignore_errors=True)

    def start(
        self,
        recipe: Recipe,
        owner: str,
        *,
        title: str = "",
        text: str | None = None,
        parent: tuple[str, int] | None = None,
    ) -> Job:
        """A new run in the queue. Raises ValueError, and leaves nothing, where it cannot be.

        title: the recipe's name by default.
        text: trained on instead of the recipe's corpus or file of pairs; the sizes follow it.
        parent: the name of a run or of a bundled checkpoint, and a step whose weights it kept: the
        new model begins with them, and reads a text with their tokenizer.
        """
        with self._new_directory() as directory:
            origin = self._directory_of(parent[0]) if parent else None
            recipe = with_corpus(recipe, text, directory, origin)
            bundle = starting_weights(origin, parent[1]) if parent else None
            task = recipe.make_task(directory, bundle and bundle.tokenizer)
            if recipe.task in FILE_OPTIONS and bundle is None:  # as many letters as its text has
                recipe = dataclasses.replace(recipe, model=fit(recipe.model, task))
            model = begin(recipe.kind(task), task, bundle)
            title = checked_title(title or recipe.name)
            card = f"# {title}\n\n{recipe.about} Still training.\n"
            save_recipe(recipe, directory)
            save(Bundle(model, task.tokenizer, card), directory)
            self._describe(directory, title, owner_hash(owner), parent)
            with self.lock:
                self._check_room(directory, bytes_to_come(model, recipe.train))
                name = self._put_in_place(directory)
        return self._launch(name, recipe, Bundle(model, task.tokenizer, card), task, title)

    def has_save(self, name: str) -> bool:
        """Whether there is what resuming needs; imported runs have none once they were trained."""
        directory = self.root / name
        return last_step(directory) is not None or not (directory / "metrics.jsonl").exists()

    def resume(self, name: str, lr: float | None = None) -> Job:
        """Go on with a run that was stopped, failed or lost its process, from its last save.

        lr: another peak of the learning rate from there on. A run that is only paused goes on.
        Raises ValueError, in one sentence, where there is nothing to go on with.
        """
        with self.lock:
            entry, job = self.entry(name), self.job(name)
            if entry.state == "paused" and job is not None:
                if lr is not None:
                    job.set_lr(lr)
                job.resume()
                return job
            directory = self.root / name
            if entry.state not in RESUMABLE:
                raise ValueError(
                    f"{entry.title} is {entry.state}, so there is nothing to resume; to train its "
                    "model further, branch from one of its snapshots"
                )
            from_last = last_step(directory) is not None
            if not self.has_save(name):
                raise ValueError(
                    f"{entry.title} has no save to resume from, as imported runs have none; branch "
                    "from one of its snapshots"
                )
            recipe, bundle = read_recipe(directory), load(directory)
            task = recipe.make_task(directory, bundle.tokenizer)
            bundle.model.requires_grad_(True)
            return self._launch(
                name, recipe, bundle, task, entry.title, lr, from_last, entry.seconds
            )

    def job(self, name: str) -> Job | None:
        """The training of this process by the name of its run, also when it is over."""
        with self.lock:
            return self.jobs.get(name)

    def entry(self, name: str) -> Entry:
        """Raises ValueError if there is no such run."""
        directory = self.root / name
        try:
            if not RUN_NAME.fullmatch(name):
                raise FileNotFoundError
            recipe = read_json(directory / RECIPE_FILE)
            known, status = self._described(directory, recipe["name"]), self._status(name)
            steps = recipe["train"]["steps"]
        except FileNotFoundError:
            raise ValueError(
                f"there is no run {name[:40]!r} on this server; look at the list of runs for one "
                "that is there"
            ) from None
        parent = known["parent"] and (known["parent"]["run"], known["parent"]["step"])
        return Entry(
            name=name,
            title=known["title"],
            steps=steps,
            created=known["created"],
            bytes=size_of(directory),
            owner_hash=known["owner"],
            parent=parent,
            **status,
        )

    def _described(self, directory: Path, name: str) -> dict[str, Any]:
        """run.json; what a terminal trains has none, and belongs to nobody here."""
        path = directory / RUN_FILE
        if path.is_file():
            return read_json(path)
        made = (directory / RECIPE_FILE).stat().st_mtime
        return {"title": name, "owner": "", "created": made, "parent": None}

    def entries(self, owner: str) -> list[Entry]:
        """The runs of this owner and of nobody else, newest first."""
        mine, found = owner_hash(owner), []
        for path in self.root.glob(f"run-*/{RUN_FILE}"):
            try:
                if read_json(path)["owner"] == mine:
                    found.append(self.entry(path.parent.name))
            except (ValueError, OSError):  # deleted meanwhile, or damaged by hand
                continue
        return sorted(found, key=lambda entry: entry.created, reverse=True)

    def rename(self, name: str, title: str) -> None:
        """Raises ValueError for an empty or overlong title, or if there is no such run."""
        title = checked_title(title)
        with self.lock:
            entry, directory = self.entry(name), self.root / name
            known = self._described(directory, entry.title)
            write_json(directory / RUN_FILE, known | {"title": title})

    def delete(self, name: str) -> None:
        """Raises ValueError while it is trained, or if there is no such run."""
        with self.lock:
            entry = self.entry(name)
            if entry.state in GOING_ON:
                raise ValueError(f"{entry.title} is {entry.state}; stop it before deleting it")
            with at_work(self.root / name):
                gone = (self.root / name).rename(self.root / f".gone-{secrets.token_hex(8)}")
            self.jobs.pop(name, None)
        shutil.rmtree(gone)

    def export(self, name: str) -> bytes:
        """A zip that `import_` takes: the model, its snapshots, recipe, metrics and text."""
        entry = self.entry(name)
        return pack(self.root / name, entry.title, entry.seconds)

    def import_(self, data: bytes, owner: str) -> str:
        """The name of a new run with what `export` packed. Raises ValueError, and leaves nothing,
        for anything else."""
        with self._new_directory() as directory:
            recipe, told = unpack(data, directory), told_by(data)
            heading = load(directory).card.partition("\n")[0].removeprefix("# ").strip()
            step = max((line["step"] for line in read_metrics(directory)), default=0)
            state = "finished" if step >= recipe.train.steps else "stopped"
            fields = {"state": state, "step": step, "error": "", "seconds": told.seconds}
            write_json(directory / STATUS_FILE, fields)
            title = checked_title((told.title or heading)[:LONGEST_TITLE] or recipe.name)
            self._describe(directory, title, owner_hash(owner), None)
            with self.lock:
                self._check_room(directory)
                return self._put_in_place(directory)

    def _launch(
        self,
        name: str,
        recipe: Recipe,
        bundle: Bundle,
        task: Task,
        title: str,
        lr: float | None = None,
        from_last: bool = False,
        seconds: float = 0.0,
    ) -> Job:
        parts = (bundle, task, recipe.train, self.root / name, self.slots, title, recipe.about)
        job = Job(*parts, from_last, seconds)
        if lr is not None:
            job.set_lr(lr)
        with self.lock:
            self.jobs.pop(name, None)  # so that it counts as the newest
            self.jobs[name] = job.start()
            over = [other for other, old in self.jobs.items() if old.status().is_over]
            for other in over[:-MOST_FINISHED_JOBS]:
                del self.jobs[other]
        return job

    def _status(self, name: str) -> dict[str, Any]:
        """State, step, error and seconds: of the job here, or as the files and the lock tell."""
        job, directory = self.job(name), self.root / name
        if job and not (now := job.status()).is_over:
            fields = {"state": now.state, "step": now.step, "error": now.error}
            return fields | {"seconds": job.seconds}
        path = directory / STATUS_FILE
        kept = read_json(path) if path.is_file() else BEFORE_ITS_START
        if somebody_is_at_work(directory):
            return kept | {"state": "running elsewhere", "step": logged_step(directory)}
        if kept["state"] in GOING_ON:
            return kept | {"state": "interrupted", "step": last_step(directory) or 0}
        return kept

    def _directory_of(self, name: str) -> Path:
        if name in bundled_names():
            return BUNDLED / name
        self.entry(name)
        return self.root / name

    def _describe(
        self, directory: Path, title: str, owner: str, parent: tuple[str, int] | None
    ) -> None:
        fields = {"title": title, "owner": owner, "created": time.time()}
        origin = parent and {"run": parent[0], "step": parent[1]}
        write_json(directory / RUN_FILE, fields | {"parent": origin})

    def _check_room(self, directory: Path, more: int = 0) -> None:
        """Raise ValueError where the runs, `more` bytes added, would take more than the budget."""
        own, taken = size_of(directory), size_of(self.root)
        if taken + more > self.budget:
            raise ValueError(
                f"there is no room for this run: those here take {readable_bytes(taken - own)}, it "
                f"needs about {readable_bytes(own + more)}, and the limit is "
                f"{readable_bytes(self.budget)} in all; delete a run that is no longer needed, or "
                "export it first and then delete it"
            )

    @contextmanager
    def _new_directory(self) -> Iterator[Path]:
        """A directory that is taken away again unless it was put in place."""
        directory = self.root / f".new-{secrets.token_hex(8)}"
        directory.mkdir(parents=True)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _put_in_place(self, directory: Path) -> str:
        name = f"run-{secrets.token_hex(8)}"
        directory.rename(self.root / name)
        return name
