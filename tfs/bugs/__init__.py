"""The classic bugs of building a Transformer: each one line, with its symptom and its check.

>>> import tfs.bugs
>>> [bug.check(bug.fixed) for bug in tfs.bugs.BUGS] == [True] * len(tfs.bugs.BUGS)
True
"""

import random

from tfs.bugs import attention, generation, layers, masks, training
from tfs.bugs.bug import Bug, source
from tfs.bugs.readings import READINGS, Symptom, read, trained_with

BUGS = (*attention.BUGS, *masks.BUGS, *layers.BUGS, *training.BUGS, *generation.BUGS)

__all__ = ["BUGS", "READINGS", "Bug", "Symptom", "hidden_bug", "read", "source", "trained_with"]


def hidden_bug(case: int) -> Bug:
    """The bug of a numbered case: each number always hides the same one."""
    return random.Random(f"case {case}").choice(BUGS)
