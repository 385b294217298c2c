"""The map of the model on the home page: where its parts lead, and what they show."""

import re

import pytest

from tests.e2e.browser import open_page, settle


@pytest.mark.parametrize(
    ("part", "heading", "says"),
    [
        ("^L1H0: adds a vector", "Attention", "layer=1"),
        ("^Mask of layer 1: ", "Masks", "layer=1"),
        ("^Position: adds a vector", "Positions", "positions"),
    ],
)
def test_a_part_of_the_map_leads_to_its_page(page, server, part, heading, says) -> None:
    open_page(page, server, "?model=induction&token=4")
    page.get_by_role("button", name=re.compile(part)).click()
    page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.wait_for_url(re.compile(says))
    assert "model=induction" in page.url
    if heading != "Positions":
        page.wait_for_url(re.compile("token=4"))


def test_the_map_is_lit_for_the_token_that_is_clicked(page, server) -> None:
    open_page(page, server, "?model=mirror")
    page.get_by_text(re.compile("a part adds at token 11, “60”, the last$")).wait_for()
    mlp = page.get_by_role("button", name=re.compile("^MLP of layer 0: adds"))
    before = mlp.get_attribute("aria-label")
    page.get_by_role("listbox", name="The prompt, token by token").get_by_role("option").nth(
        3
    ).click()
    page.get_by_text(re.compile("a part adds at token 3, “28”$")).wait_for()
    page.wait_for_url(re.compile("token=3"))
    assert mlp.get_attribute("aria-label") != before
    mlp.focus()
    page.get_by_text(mlp.get_attribute("aria-label"), exact=True).wait_for()


def test_a_long_prompt_takes_little_room_until_all_of_it_is_asked_for(page, server) -> None:
    open_page(page, server, f"?model=shakespeare&token=60&prompt={'+'.join('ab' * 64)}")
    strip = page.get_by_role("listbox", name="The prompt, token by token")
    tokens = strip.get_by_role("option")
    assert tokens.count() == 25, "twelve at either end, and the locked one"
    assert strip.get_by_text("⋯ 48 ⋯").count() and strip.get_by_text("⋯ 55 ⋯").count()
    assert strip.bounding_box()["height"] < 300
    tokens.nth(11).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "token=" not in url)
    settle(page)
    assert tokens.count() == 24
    page.get_by_role("button", name="Show all 128 tokens").click()
    assert tokens.count() == 128
    page.get_by_role("button", name="Show the ends only").click()
    assert tokens.count() == 24


def test_words_in_the_map_are_as_large_on_a_phone(page, server) -> None:
    open_page(page, server, "?model=shakespeare")
    for name in ("L3H7: ", "Mask of layer 0: ", "Output: "):
        part = page.get_by_role("button", name=re.compile(f"^{name}"))
        assert part.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 14
        assert part.evaluate("node => node.scrollWidth <= node.clientWidth"), "a word is cut off"
        box = part.bounding_box()
        assert min(box["width"], box["height"]) >= 24
