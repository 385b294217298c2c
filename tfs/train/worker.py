"""Training in the background: a thread pumps the generator, anyone may look at its progress.

A classroom shares one machine, so all jobs of a process stand in one queue and only so many run at
a time. Nothing here knows of a screen: a page polls `Job.status` and calls start, pause and stop.

What a job is doing also stands in its directory, in status.json, for those who come when the
process is gone; that a process is still there is told by a lock (see alive.py).
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tfs.tasks import Task
from tfs.train.alive import at_work
from tfs.train.card import model_card
from tfs.train.checkpoint import Bundle, save
from tfs.train.config import TrainConfig
from tfs.train.control import Cancelled, Control
from tfs.train.diverged import Diverged
from tfs.train.files import write_json
from tfs.train.loop import TrainStep, train
from tfs.train.metrics import Evaluation
from tfs.train.run import last_step, read_metrics

STATUS_FILE = "status.json"
SECONDS_BETWEEN_SAVES = 2.0
SHARE_OF_SAVING = 0.05  # of the time, where a save takes long


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
    """One training in its own thread. Its directory is a run that opens as a checkpoint.

    name        with one, the run's card says at its end what it was and how well it does
    from_last   go on from the directory's last/, where an earlier training ended
    seconds     of training so far, waiting and pauses left out
    """

    bundle: Bundle  # the model to train, in place, and its tokenizer
    task: Task
    config: TrainConfig
    directory: Path
    slots: Slots = SLOTS
    name: str = ""
    about: str = ""
    from_last: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.history = read_history(self.directory, to_last=True) if self.from_last else []
        self.state, self.error, self.has_slot = "queued", "", False
        self.go_on, self.stopping = threading.Event(), threading.Event()
        self.go_on.set()
        self.control = Control(is_held=True)
        self.held = contextlib.ExitStack()
        self.thread = threading.Thread(
            target=self._run, name=f"train-{self.directory.name}", daemon=True
        )

    def start(self) -> "Job":
        """Raises ValueError if another training, also of another process, is at work here."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.held.enter_context(at_work(self.directory))
        self._write_status()
        self.thread.start()
        return self

    def pause(self) -> None:
        """Finish the update at hand, save, and give the slot, or the place, to whoever waits."""
        self.go_on.clear()
        self.slots.wake()

    def resume(self) -> None:
        self.go_on.set()

    def stop(self) -> None:
        """Finish the update at hand, save, and end.

        A measurement at hand is given up, and with it the updates since the save before.
        """
        self.control.cancelled.set()
        self.stopping.set()
        self.go_on.set()
        self.slots.wake()

    def set_lr(self, peak: float) -> None:
        """From the next update on the schedule has this peak, also where the run is resumed.

        Raises ValueError for no learning rate, or once the training is over.
        """
        if self.status().is_over:
            raise ValueError("this training is over; resume it to train with another learning rate")
        self.control.set_lr(peak)

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
        except Cancelled:
            self._end("stopped")
        except Diverged as error:
            self._end("failed", str(error))
        except Exception as error:  # a thread has nobody to raise to: the page shows it
            self._end("failed", f"{type(error).__name__}: {error}")
        finally:
            self._leave()
            self.held.close()

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
        steps = train(
            self.bundle.model,
            self.task,
            self.config,
            self.directory,
            resume=self.from_last,
            control=self.control,
        )
        began = time.monotonic()
        save_at = began + SECONDS_BETWEEN_SAVES
        for step in steps:
            self.seconds += time.monotonic() - began
            with self.lock:
                self.history.append(step)
            if time.monotonic() > save_at and not self.stopping.is_set():
                save_at = self._save()
            if not self.go_on.is_set() and not self._paused():
                return self._end("stopped")
            if self.stopping.is_set():
                self._save(card=self._card(measured=False))
                return self._end("stopped")
            began = time.monotonic()
        self._save()
        try:
            card = self._card()
        except Cancelled:  # while it was measured; what it learned is whole
            card = self._card(measured=False)
        self._save(card=card)
        self._end("finished")

    def _card(self, measured: bool = True) -> str:
        if not self.name:
            return self.bundle.card
        changed = " Its learning rate was changed by hand." if self.control.was_changed else ""
        return model_card(
            self.name,
            self.about + changed,
            self.bundle.model,
            self.task,
            self.config,
            self.status().step,
            seconds=self.seconds,
            measured=measured,
            between=self.control.go_on_or_raise,
        )

    def _save(self, card: str = "") -> float:
        """All that opening and resuming need. Returns when to do it again, by time.monotonic."""
        began = time.monotonic()
        self.bundle = replace(self.bundle, card=card or self.bundle.card)
        save(self.bundle, self.directory)
        self.control.save(self.status().step)
        self._write_status()
        now = time.monotonic()
        return now + max(SECONDS_BETWEEN_SAVES, (now - began) / SHARE_OF_SAVING)

    def _paused(self) -> bool:
        """Save, let others train, and stand in the queue again; False if stopped meanwhile."""
        self._save()
        self._leave()
        if not self._enter():
            return False
        self._set("running")
        return True

    def _set(self, state: str) -> None:
        with self.lock:
            self.state = state
        self._write_status()

    def _end(self, state: str, error: str = "") -> None:
        with self.lock:
            self.error = error
        with contextlib.suppress(OSError):  # on a full disk the page still gets to know
            self._write_status(state)
        self.held.close()  # whoever sees that it is over may begin in its directory
        with self.lock:
            self.state = state

    def _write_status(self, state: str = "") -> None:
        status = self.status()
        fields = {"state": state or status.state, "step": status.step, "error": status.error}
        write_json(self.directory / STATUS_FILE, fields | {"seconds": self.seconds})


def read_history(directory: Path, to_last: bool = False) -> list[TrainStep]:
    """The reports of a run on disk; to_last leaves out updates that a resumed run does again."""
    history, last = [], last_step(directory) if to_last else None
    for line in read_metrics(directory):
        if last is not None and line["step"] > last:
            break
        held_out = line["held_out"] and Evaluation(**line["held_out"])
        history.append(TrainStep(**line | {"held_out": held_out}))
    return history
