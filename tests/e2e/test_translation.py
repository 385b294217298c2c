"""A text is typed, another is written from it, and cross-attention grows token by token."""

from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle


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
    expect(main.get_by_text("'eats'")).to_be_visible()
    expect(main.get_by_test_id("stException")).to_have_count(0)
