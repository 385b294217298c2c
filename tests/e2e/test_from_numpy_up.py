"""On numpy alone, in a browser: a graph is walked, a digit drawn, word vectors are trained."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle

TOO_LARGE = """() => [...document.querySelectorAll('.katex-display, pre')]
  .filter(box => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)
  .map(box => box.innerText)"""


def test_step_through_a_graph(page, server) -> None:
    open_page(page, server, "autograd?walk=0")
    main = page.get_by_test_id("stMain")
    graph = main.get_by_test_id("stGraphVizChart")
    expect(graph.get_by_text("w * x", exact=False).first).to_be_visible()
    expect(graph.get_by_text("value")).to_have_count(0)
    for step in range(1, 7):
        main.get_by_role("button", name="Next step →").click()
        expect(main.get_by_text(f"step {step} of 12")).to_be_visible()
        expect(graph.get_by_text("value")).to_have_count(step)
    expect(graph.get_by_text("gradient")).to_have_count(0)
    main.get_by_role("button", name="Next step →").click()
    expect(graph.get_by_text("gradient")).to_have_count(2)
    expect(main.get_by_text(re.compile(r"^Backward: .* passes on"))).to_be_visible()
    settle(page)
    page.reload()
    expect(graph.get_by_text("gradient")).to_have_count(2)
    for _ in range(5):
        main.get_by_role("button", name="Next step →").click()
    expect(main.get_by_text("step 12 of 12")).to_be_visible()
    expect(main.get_by_text("Backward is right")).to_be_visible()


def test_a_graph_chosen_anew_is_a_finished_one_and_a_reload_keeps_the_step(page, server) -> None:
    open_page(page, server, "autograd?walk=4")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("step 4 of 12")).to_be_visible()
    main.get_by_role("radio", name="attention").click()
    expect(main.get_by_text("step 19 of 19")).to_be_visible()
    expect(main.get_by_text("Backward is right")).to_be_visible()
    main.get_by_role("button", name="← Previous step").click()
    expect(main.get_by_text("step 18 of 19")).to_be_visible()
    settle(page)
    page.reload()
    expect(main.get_by_text("step 18 of 19")).to_be_visible()
    main.get_by_role("radio", name="used twice").click()
    expect(main.get_by_text("step 10 of 10")).to_be_visible()
    settle(page)
    page.reload()
    expect(main.get_by_text("step 10 of 10")).to_be_visible()


@pytest.mark.parametrize("layer", ["Sigmoid", "AxisDot"])  # the widest and the tallest
def test_a_derivation_needs_no_scrolling(page, server, layer) -> None:
    open_page(page, server, f"layers?hand={layer}")
    page.wait_for_timeout(500)
    equations = page.locator(".katex-display")
    expect(equations.first).to_be_visible()
    assert page.evaluate(TOO_LARGE) == []


def test_draw_a_digit(page, server) -> None:
    open_page(page, server, "digits?image=Draw+one")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("There is no ink yet")).to_be_visible()
    canvas = main.locator("canvas[role=img]").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x = box["x"] + box["width"] * 0.55
    page.mouse.move(x, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.9, steps=12)
    page.mouse.up()
    expect(main.get_by_text("There is no ink yet")).to_have_count(0)
    settle(page)
    expect(main.get_by_test_id("stPlotlyChart").first).to_be_visible()
    main.get_by_role("button", name="Start again").click()
    expect(main.get_by_text("There is no ink yet")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


def test_train_the_word_vectors(page, server) -> None:
    open_page(page, server, "word_vectors")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name="The plane as it forms")).to_be_visible()
    number = main.get_by_role("spinbutton", name="Seed")
    number.fill("7")
    number.press("Enter")
    settle(page)
    slider = main.get_by_role("slider", name="Step of the training")
    slider.focus()
    page.keyboard.press("Home")
    settle(page)
    assert "words+seed=7" in page.url and "kept+of" in page.url
    main.get_by_role("radio", name="skip-gram").or_(
        main.get_by_role("button", name="skip-gram")
    ).first.click()
    settle(page)
    expect(main.get_by_role("heading", name="Nearest neighbours")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize("path", ["word_vectors", "digits"])
def test_watch_it_learn_pause_and_go_on(page, server, path) -> None:
    open_page(page, server, path)
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Train it here, from the start").click()
    bar = main.get_by_test_id("stProgress")
    expect(bar).to_contain_text(re.compile(r"^step [1-9]"))
    seen = bar.inner_text()
    expect(bar).not_to_have_text(seen)
    main.get_by_role("button", name="Pause").click()
    expect(bar).to_contain_text("paused at step")
    settle(page)
    paused = bar.inner_text()
    page.wait_for_timeout(1500)
    assert bar.inner_text() == paused
    main.get_by_role("button", name="Go on").click()
    expect(bar).not_to_contain_text("paused")
    page.reload()
    expect(main.get_by_role("button", name="Train it here, from the start")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


def test_train_a_numpy_transformer_and_open_it_elsewhere(page, server) -> None:
    open_page(page, server, "numpy_transformer")
    main = page.get_by_test_id("stMain")
    expect(main.locator("s, del").first).to_be_visible()  # a wrong answer, struck through
    main.get_by_role("button", name="Train", exact=True).click()
    expect(main.get_by_test_id("stProgress")).to_contain_text(re.compile(r"^step [1-9]"))
    expect(main.get_by_text("step 300 of 300")).to_be_visible(timeout=60_000)
    settle(page)
    assert held_out_loss(main) <= 2.17
    expect(main.locator("s, del")).to_have_count(0)
    expect(main.get_by_test_id("stException")).to_have_count(0)
    main.get_by_role("button", name="Open it on the other pages").click()
    expect(main.get_by_role("heading", name="Attention", exact=True)).to_be_visible()
    settle(page)
    assert "model=run-" in page.url
    page.reload()
    expect(main.get_by_text(re.compile(r"^Model run-[0-9a-f]{16} on"))).to_be_visible()


@pytest.mark.timed
def test_mirror_reaches_its_floor_within_15_seconds(browser, server) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    open_page(page, server, "numpy_transformer")
    main = page.get_by_test_id("stMain")
    began = time.monotonic()
    main.get_by_role("button", name="Train", exact=True).click()
    expect(main.get_by_text("step 300 of 300")).to_be_visible(timeout=60_000)
    assert time.monotonic() - began < 15
    settle(page)
    assert held_out_loss(main) <= 2.17
    page.close()


def held_out_loss(main) -> float:
    shown = main.get_by_test_id("stMetric").filter(has_text="Held-out loss")
    return float(shown.get_by_test_id("stMetricValue").inner_text())


@pytest.mark.parametrize("example", ["attention", "a+layer"])
def test_a_graph_can_be_read_on_a_phone(browser, server, example) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 900})
    open_page(page, server, f"autograd?example={example}")
    text = page.get_by_test_id("stGraphVizChart").locator("text").first
    expect(text).to_be_visible()
    assert text.bounding_box()["height"] >= 12
    page.close()
