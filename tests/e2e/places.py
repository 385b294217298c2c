"""Where browser tests begin, and what they look for there."""

import re
from contextlib import suppress

from playwright.sync_api import TimeoutError

MIRRORED = "41+7+93+28+60+15+82+3+3+82+15+60+28+93+7+41"
START = f"attention?model=mirror&layer=0&head=1&prompt={MIRRORED}"


def strip(page):
    return page.get_by_role("listbox", name=re.compile("coloured by the attention"))


def end_training(page) -> None:
    """Stop the run on screen, if it has not ended: the next one begins when no other goes on."""
    ended = page.get_by_text(re.compile("(stopped|finished): step"))
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)
    ended.or_(stop).first.wait_for()
    if stop.is_visible():
        with suppress(TimeoutError):  # it may end by itself
            stop.click(timeout=3000)
    ended.wait_for()
