"""What the tests of the lab's page press and read."""

import json
import time

from tests.pages.screen import SECONDS

PAGE = "pages/train/live.py"


def button(at, label):
    return next(each for each in at.button if each.label == label)


def metrics(at) -> dict[str, str]:
    return {each.label: each.value for each in at.metric}


def recipe_of(at):
    """What the form would train, as it says itself."""
    (box,) = at.json
    return json.loads(box.value)


def trained_to_the_end(at):
    """The page when the run on screen has finished."""
    deadline = time.monotonic() + SECONDS
    while "finished" not in str([bar.proto.text for bar in at.get("progress")]):
        assert time.monotonic() < deadline and not at.exception and not at.error
        time.sleep(0.2)
        at.run()
    return at.run()
