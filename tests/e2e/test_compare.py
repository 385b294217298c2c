"""Two models side by side in the browser: one key moves both, one hover reads both."""

import re

from playwright.sync_api import expect

from tests.e2e.browser import close_sidebar, open_page, open_sidebar, settle

TWICE = "compare?model=induction&other=induction&view=One+head&layer=1&snapshot=256"


def test_the_replay_moves_both_by_key(page, server) -> None:
    open_page(page, server, TWICE)
    open_sidebar(page)
    curve = page.locator(".replay svg")
    curve.focus()
    page.keyboard.press("Home")
    page.get_by_text(re.compile("^B is induction, after 0 updates")).wait_for()
    settle(page)
    maps = page.locator(".maps canvas")
    first = [maps.nth(i).evaluate("canvas => canvas.toDataURL()") for i in range(3)]
    assert first[0] == first[1]
    page.keyboard.press("End")
    page.get_by_text("B is induction, at the end of its training.").wait_for()
    settle(page)
    last = [maps.nth(i).evaluate("canvas => canvas.toDataURL()") for i in range(3)]
    assert last[0] == last[1] != first[0] and last[2] == first[2], "both moved, by the same"


def test_a_hover_reads_both_and_their_difference(page, server) -> None:
    open_page(page, server, f"{TWICE}&linked=false&other+step=0")
    close_sidebar(page)
    second = page.locator(".maps canvas").nth(1)
    second.scroll_into_view_if_needed()
    box = second.bounding_box()
    place = {"x": 5.5 * box["width"] / 22, "y": 17.5 * box["height"] / 22}
    second.hover(position=place)
    read = page.get_by_text(re.compile(r"^query 17 .*, key 5 .*: A \d\.\d{4}, B \d\.\d{4}, B − A "))
    read.wait_for()
    a, b, difference = (
        float(number.replace("−", "-"))
        for number in re.findall(r" (−?\d\.\d{4})", read.inner_text())
    )
    assert abs(b - a - difference) < 2e-4 and abs(difference) > 0.01
    second.click(position=place)
    page.wait_for_url(re.compile("token=17"))
    settle(page)
    for i in range(3):
        expect(page.locator(".maps figure").nth(i).locator("i")).to_be_visible()


def test_what_is_chosen_stands_in_the_link(browser, page, server) -> None:
    open_page(page, server, "compare?model=mirror")
    page.get_by_role("combobox", name=re.compile("^.*B, beside")).click()
    page.get_by_role("option", name="mirror", exact=True).click()
    page.wait_for_url(re.compile("other=mirror(&|$)"))
    settle(page)
    page.get_by_role("radio", name="Output", exact=True).click()
    page.wait_for_url(re.compile("view=Output"))
    settle(page)
    with browser.new_context(viewport=page.viewport_size) as other:
        linked = other.new_page()
        linked.goto(page.url)
        linked.get_by_text(re.compile(r"KL\(A ‖ B\) = 0\.0000 nats")).wait_for()
        linked.get_by_text("B is mirror, at the end of its training.").wait_for()
