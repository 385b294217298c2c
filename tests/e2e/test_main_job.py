"""The main job, as a user does it: type a prompt, train, look inside what was trained."""

import re
from pathlib import Path

import pytest

from tests.e2e.browser import (
    MAKE_APP,
    ROOT,
    STREAMLIT_RUN,
    close_sidebar,
    open_page,
    open_sidebar,
    serve,
    settle,
)
from tests.e2e.places import end_training

SHOTS = ROOT / "screenshots"
MILLISECONDS_TO_TRAIN = 90_000
HELD_OUT_LOSS_BELOW_2_2 = """() =>
  [...document.querySelectorAll('[data-testid=stMetric]')].some(metric =>
    metric.innerText.startsWith('Held-out loss')
    && parseFloat(metric.innerText.split('\\n').pop()) < 2.2)"""


def shoot(page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(500)
    page.screenshot(path=SHOTS / f"e2e-{name}-{page.viewport_size['width']}.png")


def test_a_deep_link_is_the_first_thing_a_fresh_server_answers(browser, tmp_path) -> None:
    """A page that ran without app.py would have no sidebar and not the model of the link."""
    with serve(tmp_path) as address:
        page = browser.new_page()
        open_page(page, address, "attention?model=mirror&layer=0&head=3")
        assert page.get_by_role("textbox", name="Prompt").input_value().startswith("41 7 93")
        assert page.get_by_role("heading", name="Attention", exact=True).is_visible()
        in_the_grid_and_large = page.get_by_text("L0H3", exact=True)
        in_the_grid_and_large.nth(1).wait_for(state="attached")
        page.close()


@pytest.mark.parametrize("start", [MAKE_APP, STREAMLIT_RUN], ids=["make app", "streamlit run"])
def test_nobody_who_comes_first_is_told_that_the_page_is_not_there(browser, tmp_path, start):
    with serve(tmp_path, start) as address:
        page = browser.new_page()
        page.goto(f"{address}/block?model=mirror")
        page.get_by_role("heading", name="The block", exact=True).wait_for()
        settle(page)
        page.wait_for_timeout(1000)
        settle(page)
        assert not page.get_by_role("dialog").count()
        assert page.get_by_role("heading", name="The block", exact=True).is_visible()
        assert page.get_by_role("textbox", name="Prompt").input_value().startswith("41 7 93")
        assert page.url == f"{address}/block?model=mirror"
        page.close()


def test_a_prompt_is_typed_and_every_head_is_shown(page, server) -> None:
    open_page(page, server, "attention?model=shakespeare")
    open_sidebar(page)
    page.get_by_role("textbox", name="Prompt").fill("To be, or not to be, that is the question.")
    page.get_by_role("textbox", name="Prompt").press("Control+Enter")
    settle(page)
    close_sidebar(page)
    page.wait_for_selector(".grid canvas")
    settle(page)
    assert "prompt=To" in page.url
    assert page.locator(".grid canvas").count() >= 32, "four layers of eight heads"
    shoot(page, "attention")
    assert no_overflow(page)


def test_the_mirror_task_is_trained_live_and_its_attention_opened(page, server, runs) -> None:
    open_page(page, server, "live")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        HELD_OUT_LOSS_BELOW_2_2,
        timeout=MILLISECONDS_TO_TRAIN,
    )
    page.get_by_text(re.compile("finished: step 300 of 300")).wait_for(
        timeout=MILLISECONDS_TO_TRAIN
    )
    settle(page)
    shoot(page, "trained")
    assert "run=run-" in page.url
    page.get_by_role("button", name="Open its attention").click()
    page.get_by_role("heading", name="Attention", exact=True).wait_for()
    settle(page)
    assert "model=run-" in page.url
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_test_id("stAlert").count()
    shoot(page, "mirror-attention")
    assert looks_at_its_mirror_image(runs / re.search("run-[0-9a-f]{16}", page.url)[0]) > 0.5


def looks_at_its_mirror_image(run: Path) -> float:
    """Mean attention of the best head, from each answer's query to the token it has to repeat."""
    import torch

    import tfs

    model = tfs.load(run).model
    tokens = torch.randint(100, (32, 8))
    _, cache = model.run_with_cache(torch.cat([tokens, tokens.flip(1)], 1))
    answers = torch.arange(8, 16)
    return cache["pattern", 0][:, :, answers - 1, 15 - answers].mean((0, 2)).max().item()


def no_overflow(page) -> bool:
    return page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_two_readers_do_not_see_each_others_values(browser, server) -> None:
    first, second = (browser.new_context().new_page() for _ in range(2))
    open_page(first, server, "attention?model=mirror&prompt=1+2+3+3+2+1")
    open_page(second, server, "attention?model=mirror&prompt=4+5+6+6+5+4")
    settle(first)
    assert first.get_by_role("textbox", name="Prompt").input_value() == "1 2 3 3 2 1"
    assert second.get_by_role("textbox", name="Prompt").input_value() == "4 5 6 6 5 4"
    for page in (first, second):
        page.context.close()


def test_a_reload_finds_the_training_again(page, server) -> None:
    open_page(page, server, "live?recipe=mirror-2-layers")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("running: step")).wait_for()
    page.reload()
    page.get_by_text(re.compile("(running|finished): step")).wait_for()
    end_training(page)


def test_a_training_pauses_and_goes_on(page, server) -> None:
    open_page(page, server, "live?recipe=mirror-2-layers")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("running: step")).wait_for()
    page.get_by_role("button", name="Pause", exact=True).click()
    standing = page.get_by_text(re.compile("paused: step"))
    standing.wait_for()
    shoot(page, "paused")
    step = standing.inner_text()
    page.wait_for_timeout(1500)
    assert standing.inner_text() == step
    page.get_by_role("button", name="Go on").click()
    page.get_by_text(re.compile("(running|finished): step")).wait_for()
    run = page.url
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Train", exact=True).wait_for()
    page.goto(run)
    end_training(page)


def test_a_dead_link_says_so_and_goes_away(page, server) -> None:
    open_page(page, server, "attention?model=run-0000000000000000")
    warning = page.get_by_text("There is no model run-0000000000000000 on this server")
    warning.wait_for()
    shoot(page, "dead-link")
    open_sidebar(page)
    page.get_by_role("link", name="Masks").click()
    page.get_by_role("heading", name="Masks", exact=True).wait_for()
    settle(page)
    assert not warning.count()
