"""What the URL and the history say: steps, locks and choices come back as they were left."""

import re

import pytest

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle
from tests.e2e.places import MIRRORED, START, strip


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


def test_a_page_that_a_slow_server_leaves_keeps_its_choices(page, server) -> None:
    """Streamlit takes them out of the URL in several steps before it changes the page."""
    open_page(page, server, "architectures?see=Decoder-only&change=first")
    page.locator("h1").click()
    for address in ("architectures?layer=0&head=2", "architectures?head=2", "tokens"):
        page.evaluate("url => history.pushState(null, '', url)", f"/{address}")
        page.wait_for_timeout(1100)
    page.go_back()
    page.wait_for_url(re.compile("architectures.*see=Decoder-only"))
    assert "change=first" in page.url


@pytest.mark.parametrize("reloads", [False, True])
def test_choices_stay_from_page_to_page_and_come_back(page, server, reloads) -> None:
    def go_to(name: str) -> None:
        open_sidebar(page)
        page.get_by_role("link", name=name, exact=True).click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        close_sidebar(page)
        settle(page)

    page.set_default_timeout(15_000)
    open_page(page, server, "attention?model=induction&layer=1&token=12")
    page.get_by_text("Each row by its own largest weight").first.click()
    page.wait_for_url(re.compile("own=true"))
    settle(page)
    if reloads:
        page.reload()
        page.get_by_role("heading", name="Attention", exact=True).wait_for()
        settle(page)
    go_to("Masks")
    page.wait_for_url(re.compile(r"masks\?.*layer=1.*"))
    assert "own=true" in page.url and "token=12" in page.url
    page.get_by_text(re.compile("^Query 12, ")).wait_for()
    page.go_back()
    page.get_by_role("heading", name="Attention", exact=True).wait_for()
    page.wait_for_url(re.compile("layer=1"))
    settle(page)
    assert "own=true" in page.url and "token=12" in page.url
    assert strip(page).get_by_role("option").nth(12).get_attribute("aria-selected") == "true"
    go_to("Positions")
    go_to("Attention")
    page.wait_for_url(re.compile("layer=1"))
    assert strip(page).get_by_role("option").nth(12).get_attribute("aria-selected") == "true"
    settle(page)
    reached = page.url
    page.reload()
    page.get_by_role("heading", name="Attention", exact=True).wait_for()
    settle(page)
    assert page.url == reached


def test_a_link_written_by_hand_locks_and_steps(page, server) -> None:
    open_page(page, server, "attention?model=mirror&token=4&step=3")
    assert strip(page).get_by_role("option").nth(4).get_attribute("aria-selected") == "true"
    page.get_by_text(re.compile("become minus infinity")).wait_for()
