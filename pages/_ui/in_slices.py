"""A training on numpy that the page itself drives, a slice at a time, while its reader watches.

It lives in the session of its reader. A fragment that runs itself again and again trains for a
moment each time; another one draws, less often, since a figure that changes flickers. Who leaves
the page stops it by that, and finds it where it was.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, Protocol, TypeVar

import streamlit as st

from pages._ui.layout import literal, sentence
from pages._ui.turns import Turns
from tfs.numpy_engine.by_hand.threads import one_blas_thread

SECONDS_OF_A_SLICE = 0.3
SECONDS_BETWEEN_SLICES = 0.4
SECONDS_BETWEEN_PICTURES = 1.2
MOST_KEPT = 4  # trainings of one page in one session
SECONDS_TO_WAIT = 2.0  # for one's turn; who does not get it tries again at the next slice
TURNS = Turns()  # numpy holds the interpreter: two slices at once only slow each other down


class Update(Protocol):
    """What one update of any training tells."""

    @property
    def step(self) -> int: ...

    @property
    def loss(self) -> float: ...


class Learner(Protocol):
    """What is trained. until: updates in all; slices: the least number that they are cut into, so
    that one can follow what takes no time."""

    until: int
    slices: int

    def updates(self) -> Iterator[Update]:
        """A training that has not begun: it yields after every update."""
        ...

    def see(self, update: Update) -> None:
        """After an update, to keep what the pictures need."""
        ...


L = TypeVar("L", bound=Learner)


class InSlices(Generic[L]):
    """One training: how far it is, and whether it is to go on."""

    def __init__(self, learner: L) -> None:
        one_blas_thread()
        self.learner, self.updates = learner, learner.updates()
        self.losses: list[float] = []  # of every update so far, on its batch, before it
        self.seconds = 0.0  # spent in updates
        self.is_going = self.is_over = False
        self.error = ""  # why it could not go on

    @property
    def done(self) -> int:
        return len(self.losses)

    def train(self, seconds: float = SECONDS_OF_A_SLICE) -> None:
        """Updates for about so long, and no more than a slice's share of them.

        Only one training of the server does so at a time. Where several want to, each takes its
        part of the seconds, at least one update; and none where it would have to wait too long.
        """
        if not self.is_going:
            return
        with TURNS.taken(SECONDS_TO_WAIT) as count:
            if count:
                self._slice(seconds / count)

    def _slice(self, seconds: float) -> None:
        began, share = time.perf_counter(), max(1, self.learner.until // self.learner.slices)
        most = self.done + share
        self._update()
        while self.is_going and self.done < most and time.perf_counter() - began < seconds:
            self._update()
        if self.is_going and self.done >= self.learner.until:
            self._update()  # there is none: the training ends as it wants to
        self.seconds += time.perf_counter() - began

    def _update(self) -> None:
        try:
            update = next(self.updates, None)
        except ValueError as error:
            self.error, self.is_going = str(error), False
            return
        if update is None:
            self.is_over, self.is_going = True, False
            return
        self.losses.append(update.loss)
        self.learner.see(update)

    def line(self) -> str:
        """Where it stands, in words."""
        loss = f", loss {self.losses[-1]:.2f}" if self.losses else ""
        state = "" if self.is_going or self.is_over or not self.done else "paused at "
        return f"{state}step {self.done:,} of {self.learner.until:,}{loss}"


def on_screen(key: str, settings: tuple) -> InSlices | None:
    """This session's training of these settings; None where none was begun."""
    return st.session_state.get(f"{key} in slices", {}).get(settings)


def keep(key: str, settings: tuple, learner: Learner, *, going: bool) -> InSlices:
    """A training from its start, kept in the session beside the last few of other settings."""
    live = InSlices(learner)
    live.is_going = going
    forget(key, settings)
    kept = st.session_state.setdefault(f"{key} in slices", {})
    kept[settings] = live
    if len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]
    return live


def forget(key: str, settings: tuple) -> None:
    st.session_state.get(f"{key} in slices", {}).pop(settings, None)


def buttons(
    key: str,
    settings: tuple,
    make: Callable[[], Learner],
    *,
    label: str = "Train",
    instead: str = "",
) -> InSlices | None:
    """Train, Pause or Go on; Start again. Returns the training that is on screen.

    make: what is trained, from its start. instead: a button of this label, where given, leaves a
    training that is not over. They stand outside the part that is drawn again and again, which
    could swallow a press.
    """
    live = on_screen(key, settings)
    start = partial(_start, key, settings, make)
    with st.container(horizontal=True):
        if live is None or not live.done and not live.is_going:
            _button(key, label, "play_arrow", start)
        elif not live.is_over and not live.error:
            going = live.is_going
            _button(
                key,
                "Pause" if going else "Go on",
                "pause" if going else "play_arrow",
                partial(setattr, live, "is_going", not going),
            )
        if live is not None and (live.done or live.is_going):
            _button(key, "Start again", "restart_alt", start)
            if instead and not live.is_over:
                _button(key, instead, "skip_next", partial(forget, key, settings))
    return live


def _button(key: str, label: str, icon: str, act: Callable[[], None]) -> None:
    st.button(label, icon=f":material/{icon}:", key=f"{key} {label}", on_click=act)


def _start(key: str, settings: tuple, make: Callable[[], Learner]) -> None:
    """Begin; or keep the sentence that says why that cannot be."""
    try:
        keep(key, settings, make(), going=True)
    except (ValueError, OSError) as error:
        st.session_state["why not"] = sentence(error)


def watch(live: InSlices, draw: Callable[[], None]) -> None:
    """Its progress, and what `draw` draws of it, again and again while it goes on.

    When it is over, or can go no further, the whole page is drawn once more, and rests.
    """

    @st.fragment(run_every=SECONDS_BETWEEN_SLICES if live.is_going else None)
    def train() -> None:
        was_going = live.is_going
        live.train()
        if was_going and not live.is_going:
            st.rerun()
        st.progress(min(live.done / live.learner.until, 1.0), live.line())
        if live.error:
            st.error(literal(sentence(live.error)))

    train()
    st.fragment(draw, run_every=SECONDS_BETWEEN_PICTURES if live.is_going else None)()
