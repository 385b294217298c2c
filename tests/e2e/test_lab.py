"""The lab in a browser: branch a run, change its rate, train on one's own text, keep a list."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle

SECONDS_TO_TRAIN = 90


@pytest.fixture
def reader(browser):
    """One more reader, with a browser of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    context.close()


def press(page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def train(page, address: str, query: str, updates: int | None = None) -> str:
    """Start a run from the form; returns its name."""
    open_page(page, address, f"live?{query}")
    if updates is not None:
        page.get_by_text("Change the recipe").click()
        box = page.get_by_label("Updates", exact=True)
        box.fill(str(updates))
        box.press("Enter")
        settle(page)
    press(page, "Train")
    page.wait_for_url(re.compile("run=run-"))
    return re.search("run-[0-9a-f]{16}", page.url)[0]


def ends(page, state: str = "finished") -> None:
    page.get_by_text(re.compile(f"{state}: step")).wait_for(timeout=1000 * SECONDS_TO_TRAIN)
    settle(page)


def runs_of_this_browser(page, address: str) -> int:
    open_page(page, address, "runs")
    metric = page.get_by_test_id("stMetric").filter(has_text="Runs of this browser")
    return int(metric.get_by_test_id("stMetricValue").inner_text())


def test_a_branch_is_a_run_of_its_own_and_both_are_in_the_list(page, server) -> None:
    first = train(page, server, "recipe=copy", updates=40)
    ends(page)
    press(page, "Branch")
    page.get_by_label("Updates", exact=True).fill("20")
    page.get_by_label("Updates", exact=True).press("Enter")
    settle(page)
    page.get_by_role("button", name="Train the branch").click()
    page.wait_for_function("name => !location.search.includes(name)", arg=first)
    page.get_by_text("step 20 of 20").wait_for()
    page.get_by_text("copy, trained in the app, from step 40").wait_for()
    assert runs_of_this_browser(page, server) == 2
    assert not page.get_by_test_id("stException").count()


def test_nobody_else_sees_a_run_but_by_its_link(reader, page, server) -> None:
    name = train(page, server, "recipe=copy", updates=20)
    ends(page)
    assert runs_of_this_browser(page, server) == 1
    assert runs_of_this_browser(reader, server) == 0
    open_page(reader, server, f"live?run={name}")
    reader.get_by_text("finished: step 20 of 20").wait_for()
    assert runs_of_this_browser(reader, server) == 0


def test_the_list_is_there_after_a_reload_and_a_run_is_renamed_and_deleted(reader, server) -> None:
    train(reader, server, "recipe=copy", updates=20)
    ends(reader)
    assert runs_of_this_browser(reader, server) == 1
    reader.reload()
    settle(reader)
    press(reader, "Rename")
    reader.get_by_label("Title").fill("My first copy")
    reader.get_by_label("Title").press("Enter")
    settle(reader)
    reader.get_by_role("button", name="Give it this title").click()
    box = reader.get_by_test_id("stMain").get_by_role("combobox", name="Run")
    expect(box).to_have_value(re.compile(r"^My first copy \(run-"))
    press(reader, "Delete")
    reader.get_by_role("button", name="Delete it for good").click()
    reader.get_by_text("Nothing was trained in this browser yet").wait_for()


def test_a_run_is_taken_along_and_brought_in_elsewhere(reader, page, server, tmp_path) -> None:
    train(page, server, "recipe=copy", updates=20)
    ends(page)
    assert runs_of_this_browser(page, server) == 1
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take it along (zip)").click()
    packed = tmp_path / taken.value.suggested_filename
    taken.value.save_as(packed)
    assert runs_of_this_browser(reader, server) == 0
    reader.locator("input[type=file]").set_input_files(packed)
    metric = reader.get_by_test_id("stMetric").filter(has_text="Runs of this browser")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text("1")
    settle(reader)
    reader.locator("input[type=file]").set_input_files(packed)  # where the list is not empty, too
    expect(metric.get_by_test_id("stMetricValue")).to_have_text("2")
    settle(reader)
    assert not reader.get_by_test_id("stException").count()
    (tmp_path / "bad.zip").write_bytes(b"PK nothing")
    reader.locator("input[type=file]").set_input_files(tmp_path / "bad.zip")
    reader.get_by_text(re.compile(r"^bad\.zip:")).wait_for()
    expect(metric.get_by_test_id("stMetricValue")).to_have_text("2")


def test_the_learning_rate_changes_while_it_trains(reader, server) -> None:
    train(reader, server, "recipe=mirror-2-layers", updates=5000)
    reader.get_by_text(re.compile("running: step")).wait_for()
    press(reader, "Learning rate")
    reader.get_by_label("Peak", exact=True).fill("0.000001")
    reader.get_by_label("Peak", exact=True).press("Enter")
    settle(reader)
    reader.get_by_role("button", name="Change it").click()
    shown = reader.get_by_test_id("stMetric").filter(has_text="Learning rate")
    expect(shown.get_by_test_id("stMetricValue")).to_have_text(
        re.compile(r"^(1e-06|\d(\.\d+)?e-0[78])$"), timeout=20_000
    )
    press(reader, "Stop")
    ends(reader, "stopped")


def test_a_reader_trains_on_a_text_of_their_own(reader, server, tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("the cat sat on the mat. " * 300)
    (tmp_path / "not.txt").write_bytes(b"\xff\xfe\x00")
    open_page(reader, server, "live?recipe=prose")
    reader.get_by_text("Change the recipe").click()
    settle(reader)  # a list that is open while the page is still drawn closes again
    corpus = reader.get_by_role("combobox", name="Text", exact=True)
    corpus.fill("my own text")
    corpus.press("Enter")
    settle(reader)
    reader.locator("input[type=file]").set_input_files(tmp_path / "not.txt")
    reader.get_by_text(re.compile("is not UTF-8 text")).wait_for()
    reader.locator("input[type=file]").set_input_files(tmp_path / "mine.txt")
    reader.get_by_test_id("stMetric").filter(has_text="Parameters").wait_for()
    box = reader.get_by_label("Updates", exact=True)
    box.fill("30")
    box.press("Enter")
    settle(reader)
    press(reader, "Train")
    ends(reader)
    reader.get_by_text("What it writes").wait_for()
    assert not reader.get_by_test_id("stException").count()


def test_an_encoder_decoder_is_chosen_writes_what_it_was_not_shown_and_is_stopped(
    reader, server
) -> None:
    open_page(reader, server, "live")
    reader.get_by_test_id("stMain").get_by_role("radio", name="encoder-decoder").click()
    settle(reader)
    assert "architecture=encoder-decoder" in reader.url and "recipe=" not in reader.url
    expect(reader.get_by_role("combobox", name="What to train")).to_have_value("dates")
    press(reader, "Train")
    reader.wait_for_url(re.compile("run=run-"))
    reader.get_by_text("What it writes").wait_for()
    reader.get_by_text("Its attention, as it forms").wait_for()
    reader.get_by_text(re.compile("decoder.0.cross_attn, head 0, at the newest weights")).wait_for()
    press(reader, "Stop")
    ends(reader, "stopped")
    table = reader.get_by_test_id("stTable")
    expect(table.get_by_text("the truth")).to_be_visible()
    expect(table.get_by_text(re.compile(r"^\d{4}-\d\d-\d\d$")).first).to_be_visible()
    assert not reader.get_by_test_id("stException").count()
