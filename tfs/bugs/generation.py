"""Bugs that show when a model is run: what it writes, and whether it says the same thing twice."""

from collections.abc import Callable

import torch

from tfs.bugs import fixed
from tfs.bugs.broken import dropout_left_on, first_position
from tfs.bugs.bug import Bug


def follows_the_last(next_token: Callable) -> bool:
    """Of logits that are sure of another token at each place, the last counts."""
    return next_token(torch.eye(6)[None, [4, 0, 2]]).tolist() == [2]


def is_off_when_run(dropped: Callable) -> bool:
    """Out of training nothing is touched; in training something is."""
    ones = torch.ones(1000)
    return bool(dropped(ones, False).equal(ones)) and not dropped(ones, True).equal(ones)


BUGS = (
    Bug(
        "Logits of the first position",
        "The logits have a row for each token read, and each row is about the token after it. What "
        "comes next stands in the last row. The first row knows one token only, and says the same "
        "however long the text grows. The loss is as good as ever.",
        first_position.next_token,
        fixed.next_token,
        follows_the_last,
        "What it writes",
    ),
    Bug(
        "Dropout left on",
        "F.dropout is on unless told otherwise: its argument `training` is True by default, and "
        "model.eval() does not reach a function. So a model that is run still forgets numbers at "
        "random: the same text gives other logits each time, and the loss is a little worse.",
        dropout_left_on.dropped,
        fixed.dropped,
        is_off_when_run,
        "The same tokens twice",
    ),
)
