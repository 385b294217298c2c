"""Training in the background: a thread pumps the generator, anyone may look at its progress.

A classroom shares one machine, so all jobs of a process stand in one queue and only so many run at
a time. Nothing here knows of a screen: a page polls `Job.status` and calls start, pause and stop.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tfs.tasks import Task
from tfs.train.card import model_card
from tfs.train.checkpoint import Bundle, save
from tfs.train.config import TrainConfig
from tfs.train.loop import TrainStep, train

SECONDS_BETWEEN_SAVES = 2.0


class Status(NamedTuple):
    """What a job is doing: queued, running, paused, stopped, finished or failed."""

    state: str
    step: int
    place: int  # its number in the queue, from 1; 0 when it need not wait
    error: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in ("stopped", "finished", "failed")


class Slots:
    """Room for so many jobs at once; whoever comes first is let in first."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.changed = threading.Condition()
        self.waiting: deque[object] = deque()

    def enter(self, who: object, gives_up: Callable[[], bool]) -> bool:
        """Wait for a slot. Returns False, without one, if gives_up() holds after a `wake`."""
        with self.changed:
            self.waiting.append(who)
            self.changed.wait_for(lambda: gives_up() or self._is_next(who))
            entered = self._is_next(who) and not gives_up()
            self.waiting.remove(who)
            self.free -= entered
            self.changed.notify_all()
            return entered

    def _is_next(self, who: object) -> bool:
        return self.free > 0 and self.waiting[0] is who

    def leave(self) -> None:
        with self.changed:
            self.free += 1
            self.changed.notify_all()

    def wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def place(self, who: object) -> int:
        """How many stand before `who` in the queue, itself included; 0 if it is not waiting."""
        with self.changed:
            return self.waiting.index(who) + 1 if who in self.waiting else 0


SLOTS = Slots(max(1, (os.cpu_count() or 2) - 1))


@dataclass(eq=False)
class Job:
    """One training in its own thread. Its directory is a run that opens as a checkpoint."""

    bundle: Bundle  # the model to train, in place, and its tokenizer
    task: Task
    config: TrainConfig
    directory: Path
    slots: Slots = SLOTS
    name: str = ""  # with a name, the run's card says at its end what it was and how well it does
    about: str = ""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.history: list[TrainStep] = []
        self.state, self.error, self.has_slot = "queued", "", False
        self.go_on, self.stopping = threading.Event(), threading.Event()
        self.go_on.set()
        self.thread = threading.Thread(
            target=self._run, name=f"train-{self.directory.name}", daemon=True
        )

    def start(self) -> "Job":
        self.thread.start()
        return self

    def pause(self) -> None:
        """Finish the update at hand, save, and give the slot, or the place, to whoever waits."""
        self.go_on.clear()
        self.slots.wake()

    def resume(self) -> None:
        self.go_on.set()

    def stop(self) -> None:
        """Finish the update at hand, save, and end."""
        self.stopping.set()
        self.go_on.set()
        self.slots.wake()

    def status(self) -> Status:
        place = self.slots.place(self)
        with self.lock:
            step = self.history[-1].step if self.history else 0
            return Status(self.state, step, place, self.error)

    def steps(self, since: int = 0) -> list[TrainStep]:
        """Reports of the updates after `since`."""
        with self.lock:
            return self.history[since:]

    def _run(self) -> None:
        try:
            if not self._enter():
                return self._end("stopped")
            self._train()
        except Exception as error:  # a thread has nobody to raise to: the page shows it
            self._end("failed", f"{type(error).__name__}: {error}")
        finally:
            self._leave()

    def _enter(self) -> bool:
        """Wait for a slot, out of the queue while paused; False if stopped before its turn."""
        while not self.has_slot and not self.stopping.is_set():
            if self.go_on.is_set():
                self._set("queued")
                self.has_slot = self.slots.enter(self, self._steps_back)
            else:
                self._set("paused")
                self.go_on.wait()
        return self.has_slot

    def _steps_back(self) -> bool:
        return self.stopping.is_set() or not self.go_on.is_set()

    def _leave(self) -> None:
        if self.has_slot:
            self.has_slot = False
            self.slots.leave()

    def _train(self) -> None:
        self._set("running")
        saved_at = time.monotonic()
        for step in train(self.bundle.model, self.task, self.config, self.directory):
            with self.lock:
                self.history.append(step)
            if time.monotonic() - saved_at > SECONDS_BETWEEN_SAVES:
                save(self.bundle, self.directory)
                saved_at = time.monotonic()
            if not self.go_on.is_set() and not self._paused():
                return self._end("stopped")
            if self.stopping.is_set():
                self._save_with_card(step.step)
                return self._end("stopped")
        self._save_with_card(step.step)
        self._end("finished")

    def _save_with_card(self, step: int) -> None:
        if self.name:
            parts = (self.bundle.model, self.task, self.config)
            card = model_card(self.name, self.about, *parts, step)
            self.bundle = replace(self.bundle, card=card)
        save(self.bundle, self.directory)

    def _paused(self) -> bool:
        """Save, let others train, and stand in the queue again; False if stopped meanwhile."""
        save(self.bundle, self.directory)
        self._leave()
        if not self._enter():
            return False
        self._set("running")
        return True

    def _set(self, state: str) -> None:
        with self.lock:
            self.state = state

    def _end(self, state: str, error: str = "") -> None:
        with self.lock:
            self.state, self.error = state, error
