"""A training played back in the browser: by key, by drag, as an animation, by a link."""

import re

from playwright.sync_api import expect

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle

PAGE = "attention?model=induction&layer=1"


def stands_at(page, step: int) -> None:
    mark = page.locator(".replay svg")
    expect(mark).to_have_attribute("aria-valuetext", re.compile(f"^step {step},"))
    page.get_by_text(re.compile(rf"after {step:,} updates of its training")).wait_for()


def test_a_training_is_replayed_by_keys_by_drag_and_from_a_link(browser, page, server) -> None:
    open_page(page, server, PAGE)
    open_sidebar(page)
    curve = page.locator(".replay svg")
    curve.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    stands_at(page, 24)
    assert "step=" not in page.url.replace("snapshot", ""), "the arrows moved the page's own steps"
    box = curve.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40, steps=4)
    page.mouse.up()
    stands_at(page, 256)
    page.wait_for_url(re.compile("snapshot=256"))
    with browser.new_context() as other:
        linked = other.new_page()
        linked.goto(page.url)
        linked.get_by_text("after 256 updates of its training").wait_for()


def test_a_replay_plays_to_the_end_and_can_be_paused(page, server) -> None:
    open_page(page, server, f"{PAGE}&snapshot=16")
    open_sidebar(page)
    page.get_by_role("button", name="Play the training from here").click()
    page.wait_for_function("() => !location.search.includes('snapshot=16')")
    page.get_by_role("button", name="Pause the replay").click()
    settle(page)
    page.wait_for_timeout(800)
    paused = page.locator(".replay svg").get_attribute("aria-valuetext")
    page.wait_for_timeout(800)
    assert page.locator(".replay svg").get_attribute("aria-valuetext") == paused
    page.get_by_role("button", name="Play the training from here").click()
    page.wait_for_function("() => !location.search.includes('snapshot=')", timeout=20_000)
    page.get_by_role("button", name="Play the training from here").wait_for()
    close_sidebar(page)
    assert page.get_by_text("updates of its training").count() == 0


def test_the_step_stays_from_page_to_page(page, server) -> None:
    open_page(page, server, f"{PAGE}&snapshot=256")
    open_sidebar(page)
    page.get_by_role("link", name="Embeddings").click()
    page.wait_for_url(re.compile("embeddings"))
    page.get_by_text("after 256 updates of its training").wait_for()
    assert "snapshot=256" in page.url
