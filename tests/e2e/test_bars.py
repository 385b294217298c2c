"""Aligned bars: a token is read through all rows, and nothing runs into anything at any width."""

import itertools
import re

import pytest

from tests.e2e.browser import open_page, settle
from tests.e2e.places import MIRRORED

MANY = "To+be%2C+or+not+to+be%2C+that+is+the+question+" * 6


def chart(page, name: str):
    found = page.get_by_role("img", name=re.compile(name))
    found.scroll_into_view_if_needed()
    return found


def place(found, share: float) -> dict:
    box = found.bounding_box()
    return {"x": 44 + share * (box["width"] - 52), "y": 60}


def test_a_key_is_read_through_all_rows_by_mouse_and_keys(page, server) -> None:
    open_page(page, server, f"masks?model=mirror&token=3&prompt={MIRRORED}")
    rows = chart(page, "^score, exp, weight on 16 tokens, 12 of them closed")
    status = rows.locator("xpath=..").locator(".status")
    rows.hover(position=place(rows, 9.5 / 16))
    closed = re.compile('^key 9 "82": score −∞, exp 0.0000, weight 0.0000$')
    status.get_by_text(closed).wait_for()
    page.mouse.move(2, 2)
    status.get_by_text(re.compile("^Hover a token")).wait_for()
    assert not rows.locator(".at").is_visible()
    rows.focus()
    page.keyboard.press("Home")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    status.get_by_text(re.compile('^key 2 "93": score .*, exp .*, weight [01]')).wait_for()
    frame, row = rows.locator(".at").bounding_box(), rows.bounding_box()
    middle = frame["x"] + frame["width"] / 2 - row["x"]
    assert middle == pytest.approx(place(rows, 2.5 / 16)["x"], abs=2)
    page.keyboard.press("End")
    status.get_by_text(re.compile('^key 15 "41"')).wait_for()
    assert "step=" not in page.url


def test_the_bars_keep_the_focus_and_the_token_when_their_numbers_change(page, server) -> None:
    open_page(page, server, f"masks?model=mirror&token=12&prompt={MIRRORED}")
    rows = chart(page, "^score, exp, weight")
    rows.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    status = rows.locator("xpath=..").locator(".status")
    before = status.inner_text()
    assert before.startswith('key 1 "7": score')
    rows.evaluate("node => { node.theSame = true; }")
    page.get_by_role("radiogroup", name="Head").get_by_role("radio").nth(2).evaluate(
        "radio => radio.click()"
    )
    page.wait_for_url(re.compile("head=2"))
    settle(page)
    assert rows.evaluate("node => node.theSame"), "mounted anew"
    after = status.inner_text()
    assert after.startswith('key 1 "7": score') and after != before
    page.keyboard.press("ArrowRight")
    status.get_by_text(re.compile('^key 2 "93"')).wait_for()


@pytest.mark.parametrize("path", ["masks?token=40&prompt=" + MANY, "output?temperature=1.5"])
def test_labels_and_numbers_keep_their_distance(page, server, path) -> None:
    open_page(page, server, path)
    for width in (page.viewport_size["width"], 640):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        for rows in page.locator(".chart").all():
            rows.scroll_into_view_if_needed()
            room = rows.bounding_box()
            boxes = [box.bounding_box() for box in rows.locator("text").all()]
            for box in boxes:
                assert box["x"] >= room["x"] - 1
                assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
                assert box["y"] + box["height"] <= room["y"] + room["height"] + 1
            labels = [box.bounding_box() for box in rows.locator("text.label").all()]
            down = "output" in path
            starts = sorted(box["y" if down else "x"] for box in labels)
            gaps = [after - before for before, after in itertools.pairwise(starts)]
            assert all(gap == 0 or gap >= 12 for gap in map(round, gaps))
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_the_rows_of_a_draw_are_read_token_by_token(page, server) -> None:
    open_page(page, server, "output?model=mirror&top_k=3&top_p=1.0")
    rows = chart(page, "^logit, scaled logit, probability, after top-k, after top-p on 12")
    status = rows.locator("xpath=..").locator(".status")
    status.get_by_text(re.compile("^▶, striped: the token that is drawn")).wait_for()
    rows.focus()
    page.keyboard.press("Home")
    status.get_by_text(re.compile(r'^token "28" \(drawn\): logit 1[0-9.]+, ')).wait_for()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    status.get_by_text(re.compile(r"after top-k 0\.0000 \(cut\), after top-p 0\.0000")).wait_for()
    assert rows.locator("path.marked").count() == 5, "striped in every row"
    lines = 2 if page.viewport_size["width"] == 400 else 1
    assert rows.locator(".at").count() == lines, "on a phone probabilities stand below logits"
    assert {frame.is_visible() for frame in rows.locator(".at").all()} == {True}
