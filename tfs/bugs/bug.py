"""A bug as data: its story, the two forms of a part, and a check that tells them apart."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from tfs.bugs.readings import Symptom, read, trained_with


@dataclass(frozen=True)
class Bug:
    """A mistake of one line.

    broken, fixed: functions of one name, so that either can be a part of a Lab.
    check: True for a form that does what it should, found out by running it.
    reading: the name of the reading (READINGS) that shows the bug best.
    """

    name: str
    story: str
    broken: Callable
    fixed: Callable
    check: Callable[[Callable], bool]
    reading: str

    def symptom(self, form: Callable) -> Symptom:
        """The telling reading of a lab that was trained with this form."""
        return read(self.reading, trained_with(form))

    def differing_line(self) -> int:
        """Which line of the forms' sources differs, from 0. Raises ValueError unless one does."""
        lines = zip(source(self.broken), source(self.fixed), strict=True)
        differing = [n for n, (broken, fixed) in enumerate(lines) if broken != fixed]
        if len(differing) != 1:
            raise ValueError(f"the forms of {self.name!r} differ in {len(differing)} lines, not 1")
        return differing[0]


def source(form: Callable) -> list[str]:
    """The lines of a function as they stand in its file."""
    return inspect.getsource(inspect.unwrap(form)).splitlines()
