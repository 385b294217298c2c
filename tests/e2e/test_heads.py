"""Maps of heads: the numbers stand in their cells, and a click opens that head."""

import re

import pytest

from tests.e2e.browser import open_page, settle
from tests.e2e.places import MIRRORED


def test_a_click_on_a_head_opens_it(page, server) -> None:
    open_page(page, server, f"attention?model=mirror&prompt={MIRRORED}")
    heads = page.get_by_role("img", name=re.compile("^previous token: the largest"))
    heads.scroll_into_view_if_needed()
    box = heads.bounding_box()
    heads.click(position={"x": box["width"] * 2.5 / 4, "y": box["height"] / 2})
    page.wait_for_url(re.compile("head=2"))
    settle(page)
    words = page.get_by_text(re.compile(r"^L0, H2: previous token score 0\.\d{4}, .*head of this"))
    words.wait_for()
    page.get_by_role("listbox", name=re.compile("attention of L0H2$")).wait_for()
    heads.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("head=1"))


@pytest.mark.parametrize("model", ["shakespeare", "induction"])
def test_the_numbers_fit_into_their_cells_or_are_not_there(page, server, model) -> None:
    open_page(page, server, f"attention?model={model}")
    for width in (page.viewport_size["width"], 640):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        seen = 0
        for cell in page.locator(".numbers:not([hidden]) span").all():
            room, text = cell.evaluate(
                "cell => [cell.parentElement.clientWidth / getComputedStyle(cell.parentElement)"
                ".gridTemplateColumns.split(' ').length, cell.getBoundingClientRect().width]"
            )
            assert text <= room
            seen += 1
        assert seen >= 4, "no map writes its numbers"
