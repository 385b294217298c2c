"""A text is typed, another is written from it, and cross-attention grows token by token."""

import re

from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle

SENTENCE = "the tired queen does not call the happy painters"


def test_a_text_is_read_and_another_is_written_token_by_token(page, server) -> None:
    open_page(page, server, "translation")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name="1994-03-07", exact=True)).to_be_visible()
    box = main.get_by_role("textbox", name="The text to read")
    box.fill("May 5, 2011")
    box.press("Enter")
    expect(main.get_by_role("heading", name="2011-05-05", exact=True)).to_be_visible()
    settle(page)
    slider = main.get_by_role("slider", name="Tokens written so far")
    slider.focus()
    for written in ("2011-05-05 …", "2011-05-0 …", "2011-05- …"):
        page.keyboard.press("ArrowLeft")
        expect(main.get_by_role("heading", name=written, exact=True)).to_be_visible()
        settle(page)
    assert "so+far=8" in page.url or "so%20far=8" in page.url
    page.reload()
    expect(main.get_by_role("heading", name="2011-05- …", exact=True)).to_be_visible()


def test_another_model_of_two_texts(page, server) -> None:
    open_page(page, server, "translation?head=3")
    main = page.get_by_test_id("stMain")
    main.get_by_role("combobox", name="Model of two texts").click()
    page.get_by_role("option", name="grammar", exact=True).click()
    expect(main.get_by_text("grammar read 9 tokens")).to_be_visible()
    settle(page)
    expect(main.get_by_text("decoder.0.cross_attn, head 3")).to_be_visible()
    box = main.get_by_role("textbox", name="The text to read")
    box.fill("the dog eats")
    box.press("Enter")
    expect(main.get_by_text("grammar does not know “eats”")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


def pixels(canvas) -> list[int]:
    """What a canvas shows, number by number."""
    return canvas.evaluate(
        "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
    )


def test_decode_with_cross_attention(page, server) -> None:
    """Type a text, write it to its end, choose a head: its map is the large one."""
    open_page(page, server, "translation?pair=grammar")
    main = page.get_by_test_id("stMain")
    box = main.get_by_role("textbox", name="The text to read")
    box.fill(SENTENCE)
    box.press("Enter")
    expect(main.get_by_text("grammar read 9 tokens")).to_be_visible()
    settle(page)
    main.get_by_role("button", name="From the start").click()
    expect(main.get_by_text("token 1 of 10", exact=True)).to_be_visible()
    settle(page)
    mosaic = main.locator(".st-key-cross-mosaic canvas")
    before = pixels(mosaic.nth(2))
    following = main.get_by_role("button", name="Write the next token")
    for step in range(2, 11):
        following.click()
        expect(main.get_by_text(f"token {step} of 10", exact=True)).to_be_visible()
        settle(page)
    expect(following).to_be_disabled()
    expect(main.get_by_text("the end among them")).to_be_visible()
    after = pixels(mosaic.nth(2))
    assert len(after) == len(before) and before[3::4].count(0) > after[3::4].count(0) == 0
    large = main.locator(".st-key-cross canvas")
    first = pixels(large)
    mosaic.nth(2).focus()
    page.keyboard.press("Enter")
    expect(main.get_by_text("decoder.0.cross_attn, head 2")).to_be_visible()
    settle(page)
    assert pixels(large) != first
    assert "head=2" in page.url
    assert mosaic.nth(2).evaluate("one => one.getRootNode().activeElement === one"), "still there"
    expect(main.locator(".st-key-cross .rings b")).to_have_count(9)
    page.reload()
    expect(main.get_by_text("decoder.0.cross_attn, head 2")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


def test_decoding_plays_to_its_end_and_stops_there(page, server) -> None:
    open_page(page, server, "translation?pair=dates&so+far=7")
    main = page.get_by_test_id("stMain")
    play = main.get_by_role("button", name="Play", exact=True)
    play.click()
    pause = main.get_by_role("button", name="Pause", exact=True)
    expect(pause).to_be_visible()
    expect(main.get_by_text("token 9 of 11", exact=True)).to_be_visible()
    pause.click()
    expect(play).to_be_visible()
    settle(page)
    page.wait_for_timeout(1600)
    shown = main.get_by_text("of 11", exact=False).first.inner_text()
    assert shown in ("token 9 of 11", "token 10 of 11")
    play.click()
    expect(main.get_by_text("token 11 of 11", exact=True)).to_be_visible()
    expect(play).to_be_visible()
    expect(main.get_by_role("heading", name="1994-03-07", exact=True)).to_be_visible()


def test_the_attention_page_shows_the_same_cross_attention(page, server) -> None:
    open_page(page, server, "attention?of=cross&pair=grammar&head=1")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("decoder.0.cross_attn, head 1")).to_be_visible()
    main.get_by_role("radio", name="encoder of two texts", exact=True).click()
    expect(main.get_by_text("encoder.0.attn, head 1")).to_be_visible()
    settle(page)
    main.get_by_role("radio", name="decoder-only", exact=True).click()
    expect(main.get_by_text("L0H1: weight")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)


def test_boxes_name_the_tokens_of_the_text_on_screen(page, server) -> None:
    open_page(page, server, "translation?pair=dates&token=5&key token=4")
    main = page.get_by_test_id("stMain")
    key = main.get_by_role("combobox", name=re.compile("Key token"))
    expect(key).to_have_value("4: '7'")
    text = main.get_by_role("textbox").first
    text.fill("3 May 2011")
    text.press("Enter")
    expect(key).to_have_value("4: 'y'")
    page.wait_for_url(re.compile("key.token=4%3A.*y"))
