"""Reading with mouse and keyboard: hover, lock, guess, turn, take along."""

import itertools
import re

import pytest

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle
from tests.e2e.places import START, strip


def test_a_token_is_hovered_locked_and_unlocked(page, server) -> None:
    open_page(page, server, START)
    tokens = strip(page).get_by_role("option")
    status = page.get_by_text(re.compile("^Hover a token, or lock"))
    status.wait_for()
    tokens.nth(8).hover()
    page.get_by_text(re.compile(r'^8 "3" looks at')).wait_for()
    tokens.nth(8).click()
    page.wait_for_url(re.compile("token=8"))
    settle(page)
    assert tokens.nth(8).get_attribute("aria-selected") == "true"
    page.get_by_text(re.compile(r'^8 "3" \(locked\) looks at')).wait_for()
    tokens.nth(8).click()
    page.wait_for_function("() => !location.search.includes('token=')")
    settle(page)
    assert tokens.nth(8).get_attribute("aria-selected") == "false"


def test_a_token_is_locked_by_keyboard_and_keeps_the_focus(page, server) -> None:
    open_page(page, server, START)
    tokens = strip(page).get_by_role("option")
    tokens.nth(0).focus()
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(re.compile("token=14"))
    settle(page)
    page.keyboard.press("ArrowLeft")
    page.get_by_text(re.compile(r"^13 .* looks at")).wait_for()
    assert "step=" not in page.url, "the strip's arrows moved the page's steps"


def test_a_cell_of_the_mosaic_opens_its_head_and_is_in_the_link(browser, page, server) -> None:
    open_page(page, server, START)
    head = page.locator("canvas[role=img]").nth(2)
    box = head.bounding_box()
    cell = box["width"] / 16
    head.click(position={"x": 3.5 * cell, "y": 12.5 * cell})
    page.wait_for_url(re.compile("head=2.*token=12|token=12.*head=2"))
    settle(page)
    page.get_by_text(re.compile(r"^L0H2: query 12 .* key 3 .*\(locked\)$")).wait_for()
    other = browser.new_context(viewport=page.viewport_size).new_page()
    other.goto(page.url)
    other.get_by_text(re.compile(r"^L0H2: query 12 .* key 3 .*\(locked\)$")).wait_for()
    other.get_by_text(re.compile(r'^12 "28" \(locked\) looks at')).wait_for()
    other.context.close()


def test_the_steps_are_walked_by_keyboard_and_stand_in_the_link(browser, page, server) -> None:
    open_page(page, server, START)
    page.locator("h1").click()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        settle(page)
    page.get_by_text(re.compile(r"weights .* sum to 1\.0000")).wait_for()
    page.keyboard.press("ArrowLeft")
    page.get_by_text(re.compile("become minus infinity")).wait_for()
    page.wait_for_url(re.compile(r"step=3(\+|%20)mask"))
    other = browser.new_context(viewport=page.viewport_size).new_page()
    other.goto(page.url)
    other.get_by_text(re.compile("become minus infinity")).wait_for()
    other.context.close()


def test_strips_end_where_the_page_does(page, server) -> None:
    open_page(page, server, "attention?model=mirror&step=6+W_O")
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        drawing = page.locator(".drawing").filter(has=page.locator("canvas")).last
        room = drawing.locator("xpath=ancestor::div[contains(@class, 'maps')]").bounding_box()
        box = drawing.bounding_box()
        assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
        assert box["height"] >= 22, "a strip is as high as a line of text"


def test_a_guess_is_graded(page, server) -> None:
    open_page(page, server, "attention?model=mirror&ask=true")
    assert not page.locator(".grid canvas").count(), "shown before the guess"
    page.get_by_role("radio", name="L0H0", exact=True).click()
    page.get_by_text(re.compile("^(Right|Not this time)")).first.wait_for()
    page.locator(".grid canvas").first.wait_for()


def test_the_colour_bars_of_heads_have_room_for_their_names(page, server) -> None:
    open_page(page, server, "compare?model=mirror&other=mirror&view=Head+scores")
    names = page.locator(".js-plotly-plot .annotation-text", has_text=re.compile("^score$"))
    names.nth(7).wait_for()
    assert names.count() == 8
    for name in names.all():
        figure = name.locator("xpath=ancestor::div[contains(@class, 'js-plotly-plot')]")
        word, room = name.bounding_box(), figure.bounding_box()
        assert word["x"] + word["width"] <= room["x"] + room["width"]


@pytest.mark.parametrize("room", ["", "&room=24"])
def test_no_word_of_the_lens_runs_into_the_next_cell(page, server, room) -> None:
    bytes_and_words = "%F0%9F%8E%AD+na%C3%AFve+%E6%BC%A2%E5%AD%97+speak+resolved"
    open_page(page, server, f"lens?model=shakespeare&prompt={bytes_and_words}{room}")
    page.wait_for_timeout(1000)  # a narrow page draws again when it knows its width
    settle(page)
    words = page.locator(".js-plotly-plot").first.locator(".heatmap-label text")
    boxes = [box for box in (word.bounding_box() for word in words.all()) if box["width"]]
    narrow = page.viewport_size["width"] < 480
    assert bool(boxes) != (narrow and bool(room)), "24 words have no room on a phone"
    chosen = page.get_by_role("radio", name="6", exact=True)
    assert room or chosen.is_checked() == narrow
    rows = {round(box["y"] + box["height"] / 2) for box in boxes}
    for row in rows:
        line = sorted(
            (box["x"], box["x"] + box["width"])
            for box in boxes
            if abs(box["y"] + box["height"] / 2 - row) < 3
        )
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(line))


def test_tables_of_terms_show_all_their_rows(page, server) -> None:
    open_page(page, server, "arithmetic?model=shakespeare")
    tables = page.locator("[data-testid=stDataFrame] .dvn-scroller")
    tables.nth(2).wait_for()
    for table in tables.all():
        assert table.evaluate("node => node.scrollHeight <= node.clientHeight + 1")
    assert tables.first.bounding_box()["height"] > 20 * 30, "twenty terms"


def test_text_is_shown_and_never_interpreted(page, server) -> None:
    attack = "<img src=x onerror='window.hacked=1'> **bold** :red[x] $x$ שלום 🎭"
    open_page(page, server, "attention?model=shakespeare")
    open_sidebar(page)
    page.get_by_role("textbox", name="Prompt").fill(attack)
    page.get_by_role("textbox", name="Prompt").press("Control+Enter")
    settle(page)
    page.wait_for_url(re.compile("prompt="))
    strip(page).get_by_role("option").first.filter(has_text="<").wait_for()
    assert "".join(strip(page).locator("button > span").all_inner_texts()).startswith("<img·src=x")
    assert page.evaluate("() => window.hacked") is None


def test_a_figure_is_taken_along_as_numbers_and_as_a_page(browser, page, server, tmp_path) -> None:
    open_page(page, server, "lens?model=mirror")
    page.get_by_text("The code that made this picture").first.click()
    page.get_by_role("radio", name="SVG").wait_for()  # the last part of the box
    settle(page)
    page.wait_for_timeout(500)  # the box has unfolded
    files = {}
    for name in ("Numbers (CSV)", "Page of its own (HTML)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    rows = files["Numbers (CSV)"].read_text().splitlines()
    assert "first choice" in rows[0] and len(rows) == 1 + 12 * 2  # positions x depths
    offline = browser.new_context(offline=True).new_page()
    offline.goto(files["Page of its own (HTML)"].as_uri())
    offline.locator(".plotly .main-svg").first.wait_for()
    offline.get_by_text("Model mirror, prompt: 41 7 93").wait_for()
    offline.context.close()


def test_points_in_space_are_turned_and_read(page, server) -> None:
    open_page(page, server, "embeddings?model=mirror&dimensions=3D")
    cloud = page.locator(".cloud canvas")
    cloud.scroll_into_view_if_needed()
    told = page.get_by_text("Drag the picture")
    told.wait_for()
    assert "points on three axes" in cloud.get_attribute("aria-label")

    def view() -> tuple[float, ...]:
        names = ("yaw", "pitch", "zoom")
        return tuple(float(cloud.get_attribute(f"data-{name}")) for name in names)

    before, box = view(), cloud.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 90, middle[1], steps=3)
    page.mouse.up()
    cloud.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("+")
    page.wait_for_timeout(100)
    turned = [round(now - then, 1) for now, then in zip(view(), before, strict=True)]
    assert turned == [0.6, 0.2, 0.2]
    for x in range(0, int(box["width"]), 6):
        page.mouse.move(box["x"] + x, middle[1])
        if not told.count():
            break
    page.get_by_text(re.compile("^token .*: −?[0-9.]+, −?[0-9.]+, −?[0-9.]+$")).wait_for()
    page.get_by_role("button", name="Next point").click()
    first = page.locator(".status", has_text="token").last.inner_text()
    cloud.press("Enter")
    assert first != page.locator(".status", has_text="token").last.inner_text()
    page.get_by_role("button", name="Further").click()
    page.wait_for_timeout(100)
    assert view()[2] == before[2]
    page.get_by_role("radio", name="2D").click()
    page.get_by_text("first two directions").wait_for()


def test_on_a_phone_the_choice_of_room_in_the_lens_stays(browser, server) -> None:
    page = browser.new_context(viewport={"width": 400, "height": 800}).new_page()
    page.set_default_timeout(30_000)

    def chosen(room: str):
        return page.get_by_role("radio", name=room, exact=True, checked=True)

    open_page(page, server, "lens?model=shakespeare")
    chosen("6").wait_for(state="attached")
    page.get_by_role("radio", name="12", exact=True).click()
    chosen("12").wait_for(state="attached")
    settle(page)
    for name in ("Tokens", "Logit lens"):
        open_sidebar(page)
        page.get_by_role("link", name=name, exact=True).click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        settle(page)
        close_sidebar(page)
    page.wait_for_timeout(1500)  # the page is measured once more
    settle(page)
    assert chosen("12").count()
    page.context.close()
