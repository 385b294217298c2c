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
    """The bug of a numbered case: each number always hides the same one.

    Cases come in rounds, in each of which every bug is hidden once. No bug is hidden twice running.
    """
    played, place = divmod(case - 1, len(BUGS))
    before, order = _shuffled(played - 1), _shuffled(played)
    if order[0] is before[-1]:
        order[:2] = order[1], order[0]  # which leaves a round's last as it is
    return order[place]


def _shuffled(played: int) -> list[Bug]:
    """The bugs in an order of a round's own."""
    return random.Random(f"round {played}").sample(BUGS, len(BUGS))
