"""A real server and a real browser. Under CI a missing browser is a failure, not a skip."""

import os
import shutil

import pytest

from tests.e2e.browser import chromium, serve

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 400, "height": 800}


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser():
    if shutil.which("chromium") is None:
        message = "chromium is not installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Where the server keeps what is trained."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(runs):
    """The address of a server of our own."""
    with serve(runs) as address:
        yield address


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "400px"])
def page(request, browser):
    context = browser.new_context(viewport=request.param)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    context.close()
