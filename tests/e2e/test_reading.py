"""Reading with mouse and keyboard: lock, unlock, click a cell, walk the steps, share the link."""

import re

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle

MIRRORED = "41+7+93+28+60+15+82+3+3+82+15+60+28+93+7+41"
START = f"attention?model=mirror&layer=0&head=1&prompt={MIRRORED}"


def strip(page):
    return page.get_by_role("listbox", name=re.compile("coloured by the attention"))


def test_a_token_is_hovered_locked_and_unlocked(page, server) -> None:
    open_page(page, server, START)
    tokens = strip(page).get_by_role("option")
    status = page.get_by_text(re.compile(r"^Hover a token"))
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
    mask = page.get_by_role("img", name=re.compile("^causal: which scores become"))
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


def test_the_colour_bars_of_heads_have_room_for_their_names(page, server) -> None:
    open_page(page, server, "attention?model=mirror")
    names = page.locator(".js-plotly-plot .annotation-text", has_text=re.compile("^score$"))
    assert names.count() == 4
    for name in names.all():
        figure = name.locator("xpath=ancestor::div[contains(@class, 'js-plotly-plot')]")
        word, room = name.bounding_box(), figure.bounding_box()
        assert word["x"] + word["width"] <= room["x"] + room["width"]


def test_a_part_of_the_map_leads_to_its_page(page, server) -> None:
    open_page(page, server, "?model=induction")
    page.get_by_role("button", name=re.compile("^L1H0: adds a vector")).click()
    page.get_by_role("heading", name="Attention", exact=True).wait_for()
    page.wait_for_url(re.compile("layer=1"))
    assert "model=induction" in page.url


def test_a_tour_is_walked_to_its_end(page, server) -> None:
    open_page(page, server)
    page.get_by_role("button", name=re.compile("Tour: What a head does")).click()
    page.get_by_text("step 1 of 5").wait_for()
    settle(page)
    next_step = page.locator(".st-key-tour-next button")
    assert next_step.is_disabled()
    page.get_by_role("radio", name="L0H0", exact=True).click()
    next_step.click()
    page.get_by_text("step 2 of 5").wait_for()
    settle(page)
    strip(page).get_by_role("option").nth(11).click()
    next_step.click()
    page.get_by_text("step 3 of 5").wait_for()
    settle(page)
    page.get_by_role("radio", name="6 W_O").click()
    next_step.click()
    page.get_by_text("step 4 of 5").wait_for()
    page.get_by_role("heading", name="Logit lens", exact=True).wait_for()
    page.wait_for_url(re.compile("tour=what-a-head-does.*at=4|at=4.*tour=what-a-head-does"))
    settle(page)
    page.locator(".st-key-predict-depth-box").get_by_role("radio").first.click()
    next_step.click()
    page.get_by_text("step 5 of 5").wait_for()
    settle(page)
    for n in (1, 2, 3):
        page.get_by_role("button", name="Next token").click()
        page.wait_for_url(re.compile(f"new={n}"))
        settle(page)
    page.get_by_role("button", name="Finish the tour").click()
    page.get_by_text("You have walked to the end of").wait_for()
    settle(page)
    assert "tour=" not in page.url and "ask=" not in page.url
    page.get_by_role("button", name="Tour: From text to next token").click()
    page.get_by_text("step 1 of 9").wait_for()


def test_the_browsers_back_leads_a_tour_back(page, server) -> None:
    open_page(page, server, "?tour=text-to-next-token&at=3")
    page.get_by_role("heading", name="Embeddings", exact=True).wait_for()
    settle(page)
    page.get_by_role("button", name="Back in the tour").click()
    page.get_by_role("heading", name="Tokens", exact=True).wait_for()
    page.get_by_text("step 2 of 9").wait_for()
    settle(page)
    for _ in range(6):  # the change of a page makes entries of its own, which a person's Back skips
        page.go_back()
        settle(page)
        if page.get_by_text("step 3 of 9").count() and "at=3" in page.url:
            break
    page.get_by_role("heading", name="Embeddings", exact=True).wait_for()
    page.get_by_text("step 3 of 9").wait_for()
    page.wait_for_timeout(500)
    assert "at=3" in page.url, "it is not led on again"


def test_what_to_do_stays_in_view_and_leaves_room(page, server) -> None:
    open_page(page, server, "?tour=text-to-next-token&at=3")
    page.get_by_role("heading", name="Embeddings", exact=True).wait_for()
    settle(page)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 1500)")
    page.wait_for_timeout(300)
    task = page.locator(".st-key-tour-bar")
    assert page.locator(".st-key-tour-next button").is_visible()
    box, height = task.bounding_box(), page.viewport_size["height"]
    assert 0 <= box["y"] and box["y"] + box["height"] <= 0.4 * height
    words = page.locator(".st-key-tour-words").bounding_box()
    narrow = page.viewport_size["width"] < 768
    assert (words["y"] < 0) == narrow, "on a phone the text scrolls away"


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


def test_a_link_into_a_tour_opens_its_page_and_its_model(page, server) -> None:
    open_page(page, server, "?tour=what-a-head-does&at=4")
    page.get_by_role("heading", name="Logit lens", exact=True).wait_for()
    page.get_by_text("step 4 of 5").wait_for()
    page.get_by_text(re.compile("Model induction on the")).wait_for()


def test_who_walks_off_a_tour_is_led_back(page, server) -> None:
    open_page(page, server, "?tour=text-to-next-token&at=3")
    page.get_by_role("heading", name="Embeddings", exact=True).wait_for()
    settle(page)
    open_sidebar(page)
    page.get_by_role("link", name="Arithmetic").click()
    page.get_by_role("heading", name="Arithmetic", exact=True).wait_for()
    settle(page)
    close_sidebar(page)
    page.get_by_role("button", name="Go to the page of this step").click()
    page.get_by_role("heading", name="Embeddings", exact=True).wait_for()


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
    page.get_by_role("radio", name="2D").click()
    page.get_by_text("first two directions").wait_for()


def test_no_press_of_an_arrow_key_is_lost(page, server) -> None:
    open_page(page, server, f"masks?model=mirror&prompt={MIRRORED}&cell=0")
    page.locator("h1").click()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(30)
    page.get_by_text("Cell 20 of 256. Closed: key 3 comes after query 1.").wait_for()
    for _ in range(5):
        page.get_by_role("button", name="← Back").click(delay=0)
    page.get_by_text("Cell 15 of 256. Closed").wait_for()


def test_the_arrows_go_on_from_a_step_that_was_clicked(page, server) -> None:
    open_page(page, server, START)
    page.get_by_role("radio", name="3 mask").click()
    page.wait_for_url(re.compile(r"step=3(\+|%20)mask"))
    settle(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"step=6(\+|%20)W_O"))
    page.get_by_text("Step 6 of 6").wait_for()


def test_back_leads_to_the_page_before_as_it_was_left(page, server) -> None:
    open_page(page, server, "attention")
    prompt = page.get_by_role("textbox", name="Prompt")
    typed = prompt.input_value()
    assert len(typed) > 20
    tokens = strip(page).get_by_role("option")
    for place in (3, 5):
        tokens.nth(place).click()
        page.wait_for_url(re.compile(f"token={place}"))
        settle(page)
    open_sidebar(page)
    page.get_by_role("link", name="Positions").click()
    page.wait_for_url(re.compile("positions"))
    page.get_by_role("heading", name="Positions").first.wait_for()
    settle(page)
    page.go_back()
    page.wait_for_url(re.compile("attention.*token=5"))
    page.get_by_role("heading", name="Attention").first.wait_for()
    settle(page)
    assert prompt.input_value() == typed
    assert tokens.nth(5).get_attribute("aria-selected") == "true"


def test_a_link_written_by_hand_locks_and_steps(page, server) -> None:
    open_page(page, server, "attention?model=mirror&token=4&step=3")
    assert strip(page).get_by_role("option").nth(4).get_attribute("aria-selected") == "true"
    page.get_by_text(re.compile("become minus infinity")).wait_for()
