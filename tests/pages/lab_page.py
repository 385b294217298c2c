"""What the tests of the lab's page press and read."""

import json

PAGE = "pages/train/live.py"


def button(at, label):
    return next(each for each in at.button if each.label == label)


def metrics(at) -> dict[str, str]:
    return {each.label: each.value for each in at.metric}


def recipe_of(at):
    """What the form would train, as it says itself."""
    (box,) = at.json
    return json.loads(box.value)
