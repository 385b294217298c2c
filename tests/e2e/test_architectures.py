"""Three architectures in one drawing language, and a model that reads both ways."""

import re

from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle


def test_an_architecture_is_switched_and_a_head_of_two_texts_opens(page, server) -> None:
    open_page(page, server, "architectures?model=mirror&pair=grammar")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name="Decoder-only", exact=True)).to_be_visible()
    main.get_by_role("radio", name="Encoder-decoder", exact=True).click()
    page.wait_for_url(re.compile("see=Encoder-decoder"))
    settle(page)
    expect(main.get_by_role("heading", name="Decoder-only", exact=True)).to_have_count(0)
    head = main.get_by_role("button", name=re.compile("^cross-attention L0H2: adds"))
    head.focus()
    expect(main.get_by_text(head.get_attribute("aria-label"), exact=True)).to_be_visible()
    page.keyboard.press("Enter")
    main.get_by_role("heading", name="Two texts", exact=True).wait_for()
    page.wait_for_url(re.compile("translation.*head=2"))
    page.wait_for_url(re.compile("pair=grammar"))
    main.get_by_text(re.compile("^grammar read")).wait_for()
    page.go_back()
    main.get_by_role("heading", name="Architectures", exact=True).wait_for()


def test_a_head_that_reads_opens_where_its_own_model_is_looked_into(page, server) -> None:
    open_page(page, server, "architectures?see=Encoder-decoder&pair=numbers")
    main = page.get_by_test_id("stMain")
    still = main.get_by_role("button", name=re.compile("^MLP of layer 0")).first
    expect(still).to_have_attribute("aria-disabled", "true")
    main.get_by_role("button", name=re.compile("^L0H3: adds")).first.click()
    main.get_by_role("heading", name="From q and k to weights").wait_for()
    page.wait_for_url(re.compile("attention.*head=3"))
    chosen = main.get_by_role("radio", name="encoder of two texts", exact=True)
    expect(chosen).to_be_checked()
    model = main.get_by_role("combobox", name=re.compile("Model of two texts"))
    expect(model).to_have_value("numbers")


def test_two_roads_are_joined_by_a_line_or_in_words(page, server) -> None:
    open_page(page, server, "architectures?see=Encoder-decoder")
    roads = page.get_by_role("group", name=re.compile("cross-attention reads from its top"))
    stacks = roads.locator(".stack")
    encoder, decoder = (stacks.nth(i).bounding_box() for i in range(2))
    line = roads.locator("svg path")
    if page.viewport_size["width"] > 640:
        expect(line).to_have_attribute("d", re.compile("^M.*H.*L"))
        assert encoder["x"] + encoder["width"] < decoder["x"]
        ends = [box["y"] + box["height"] for box in (encoder, decoder)]
        assert abs(ends[0] - ends[1]) < 2, "both stand on one ground"
    else:
        expect(line).to_be_hidden()
        assert encoder["y"] + encoder["height"] <= decoder["y"], "the encoder comes first"
    expect(roads.get_by_text("keys and values from the encoder’s top").first).to_be_visible()


def test_a_head_of_an_encoder_opens_with_its_layer(page, server) -> None:
    open_page(page, server, "architectures?see=Encoder-only")
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name=re.compile("^L1H3: adds")).click()
    main.get_by_role("heading", name="One head: L1H3", exact=True).wait_for()
    page.wait_for_url(re.compile("both_ways.*layer=1"))


def test_a_word_is_masked_and_filled_in(page, server) -> None:
    open_page(page, server, "both_ways")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name="Position 1: lai", exact=True)).to_be_visible()
    for word in ("1 lai", "8 pa"):
        main.get_by_role("button", name=word, exact=True).click()
        settle(page)
    main.get_by_role("heading", name="Position 8: pa", exact=True).wait_for()
    expect(main.get_by_role("heading", name="Position 1: lai", exact=True)).to_have_count(0)
    expect(main.get_by_text("so it is right")).to_be_visible()
    settle(page)
    page.reload()
    main.get_by_role("heading", name="Position 8: pa", exact=True).wait_for()
    expect(main.get_by_test_id("stException")).to_have_count(0)
