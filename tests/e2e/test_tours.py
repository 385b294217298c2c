"""Tours: walked, left, linked to, and led back to."""

import re

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle
from tests.e2e.places import strip


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
    page.wait_for_timeout(700)  # the step scrolls to its place
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
    main = page.get_by_test_id("stMain")
    page.wait_for_timeout(700)
    assert main.evaluate("main => main.scrollTop") == 0, "a step starts at its top"
    for n in (1, 2, 3):
        page.get_by_role("button", name="Next token").click()
        page.wait_for_url(re.compile(f"new={n}"))
        settle(page)
    page.get_by_role("button", name="Finish the tour").click()
    page.get_by_text("You have walked to the end of").wait_for()
    settle(page)
    page.wait_for_timeout(700)
    assert main.evaluate("main => main.scrollTop") == 0, "the closing word is seen"
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
