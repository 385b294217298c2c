"""Maps of cells: read all at once, locked by row, column or cell, legible at any width."""

import re

import pytest

from tests.e2e.browser import open_page, settle
from tests.e2e.places import MIRRORED


def test_cells_are_read_in_all_maps_and_a_row_is_locked(page, server) -> None:
    open_page(page, server, f"masks?model=mirror&prompt={MIRRORED}")
    scores = page.get_by_role("img", name=re.compile("^scores: the largest score"))
    scores.scroll_into_view_if_needed()
    box = scores.bounding_box()
    place = {"x": 6.5 * box["width"] / 16, "y": 3.5 * box["height"] / 16}
    scores.hover(position=place)
    page.get_by_text(
        re.compile('^query 3 "28", key 6 "82": score .*, masked −∞, weight 0.0000$')
    ).wait_for()
    scores.click(position=place)
    page.wait_for_url(re.compile("token=3"))
    page.get_by_text(re.compile("^Query 3, '28', in L0H0")).wait_for()
    settle(page)
    scores.click(position=place)
    page.wait_for_function("() => !location.search.includes('token=')")
    page.get_by_text("None is locked, so this is the query in the middle.").wait_for()


def test_a_mask_is_built_by_clicks_and_keys(page, server) -> None:
    open_page(page, server, f"masks?model=mirror&cell=1&prompt={MIRRORED}")
    mask = page.get_by_role("img", name=re.compile("^causal: .* replaced by"))
    box = mask.bounding_box()
    mask.click(position={"x": 4.5 * box["width"] / 16, "y": 2.5 * box["height"] / 16})
    page.get_by_text("Cell 37 of 256. Closed: key 4 comes after query 2.").wait_for()
    page.wait_for_url(re.compile("cell=37"))
    settle(page)
    for key in ("ArrowDown", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("Cell 52 of 256. Open: key 3 is query 3 itself.").wait_for()


def test_the_large_maps_grow_on_a_projector_and_a_row_can_have_its_own_scale(browser, server):
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    open_page(page, server, "attention?model=shakespeare&layer=1&head=1")
    maps = page.get_by_role("img", name=re.compile("^L1H1: (weight|length).*: the largest"))
    for i in range(2):
        assert 600 < maps.nth(i).bounding_box()["width"] <= 760
        assert maps.nth(i).bounding_box()["height"] < 800, "it fits on the screen"
    brightest = """canvas => {
      const row = canvas.getContext('2d').getImageData(0, canvas.height - 1, canvas.width, 1).data;
      return Math.max(...row.filter((_, i) => i % 4 < 3));
    }"""
    spread_thin = maps.first.evaluate(brightest)
    page.get_by_text("Each row by its own largest value").click()
    page.wait_for_url(re.compile(r"own(\+|%20)head=true"))
    settle(page)
    assert spread_thin < maps.first.evaluate(brightest) == 0xF8, "the end of the scale"
    page.context.close()


def test_a_key_alone_frames_its_column(page, server) -> None:
    open_page(page, server, f"attention?model=mirror&prompt={MIRRORED}&key+token=3%3A+%2728%27")
    drawing = page.locator(".drawing").filter(has=page.get_by_role("img", name=re.compile("L0H0")))
    frame = drawing.first.locator("i")
    frame.wait_for()
    box, room = frame.bounding_box(), drawing.first.bounding_box()
    assert box["height"] == pytest.approx(room["height"], abs=2)
    assert box["x"] - room["x"] == pytest.approx(3 / 16 * room["width"], abs=2)
    page.get_by_text(re.compile(r'^key 3 "28" \(locked\)\. Hover')).wait_for()


def test_one_token_fills_its_map(page, server) -> None:
    open_page(page, server, "masks?model=mirror&prompt=5")
    edges = page.locator("svg.edges path")
    widths = {edge.get_attribute("stroke-width") for edge in edges.all()}
    room = page.locator(".drawing").first.bounding_box()["width"]
    assert [float(width) / 20 * room <= 1.5 for width in widths] == [True]


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
