"""Start the app as a user would, open it in Chromium, and know when it has settled."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "",
    "tokens",
    "embeddings",
    "positions",
    "masks",
    "attention",
    "block",
    "output",
    "translation",
    "architectures",
    "both_ways",
    "both_ways?both=tags",
    "live",
    "runs",
    "experiments",
    "compare",
    "formed?model=induction",
    "lens",
    "engines",
    "arithmetic",
    "bugs",
    "autograd",
    "layers",
    "digits",
    "digits?image=Draw+one",
    "word_vectors",
    "numpy_transformer",
)
MAKE_APP, STREAMLIT_RUN = ("pages._ui.serve",), ("streamlit", "run", "app.py")
SECONDS_TO_START = 60
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning'
    && app.dataset.testConnectionState === 'CONNECTED'
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
}"""


@contextmanager
def serve(runs: Path, start: Sequence[str] = MAKE_APP) -> Iterator[str]:
    """The app on a free port, started as `make app` does; yields its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *start, "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    command += ["--server.fileWatcherType=none"]  # the code under test stays what it was
    log = (runs / "server.log").open("w")
    environment = os.environ | {"TFS_RUNS_DIR": str(runs)}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def _wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended at once; see server.log"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} did not answer within {SECONDS_TO_START} s")


@contextmanager
def chromium() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def settle(page) -> None:
    """Wait until the script has run and its figures are drawn."""
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(150)
    page.wait_for_function(SETTLED)


def open_page(page, address: str, path: str = "") -> None:
    page.goto(f"{address}/{path}")
    page.wait_for_selector("[data-testid=stSidebar]", state="attached")
    page.wait_for_selector("[data-testid=stMain] h1")
    settle(page)


def open_sidebar(page) -> None:
    """On a narrow screen the sidebar is folded away."""
    if page.viewport_size["width"] < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
        page.wait_for_timeout(400)


def close_sidebar(page) -> None:
    """On a narrow screen the open sidebar lies over the page; following a link may fold it too."""
    fold = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    if page.viewport_size["width"] < 768 and fold.is_visible():
        fold.click(force=True)
        page.wait_for_timeout(400)
