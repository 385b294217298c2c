"""How long a page takes to follow a control, and what its figures weigh, in a real browser.

A redraw is timed inside the page: from the click until the script has run, nothing on the page is
stale and two frames were drawn. The weight is what the server sent for the first view of a page.
"""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from tests.e2e.browser import chromium, open_page, serve, settle

WORDS = "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer "
CONTROLS = {  # page, and what is changed: controls that are clicked in turn
    "tokens": ["role=button[name=/Forward/]"],
    "embeddings": [".strip button:nth-child(3)", ".strip button:nth-child(6)"],
    "embeddings, 2D to 3D": ["role=radio[name='3D']", "role=radio[name='2D']"],
    "positions": ["role=radio[name='sinusoidal']", "role=radio[name='learned']"],
    "masks": ["role=radio[name='prefix']", "role=radio[name='causal']"],
    "attention": ["role=radio[name='7']", "role=radio[name='5']"],
    "block": ["role=radio[name='attn_out']", "role=radio[name='post']"],
    "output": ["[data-testid=stNumberInputStepUp]"],
    "lens": ["[data-testid=stMain] [data-testid=stCheckbox] input"],
}
REPLAYED = ("attention", "embeddings", "block", "output", "lens", "formed")  # page by page
REPLAY_TOKENS, REPLAY_LIMIT = 32, 200  # milliseconds
REDRAW = """async (element, key) => {
  const app = document.querySelector('[data-testid=stApp]');
  const done = () => app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
  const started = performance.now();
  const ran = new Promise(resolve => {
    const watch = new MutationObserver(() => {
      if (app.dataset.testScriptState !== 'notRunning') { watch.disconnect(); resolve(); }
    });
    watch.observe(app, {attributes: true});
  });
  if (key) element.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  else element.click();
  await Promise.race([ran, new Promise(resolve => setTimeout(resolve, 3000))]);
  const frame = () => new Promise(requestAnimationFrame);
  while (!done()) await frame();
  await frame();
  await frame();
  return performance.now() - started;
}"""


@contextmanager
def app() -> Iterator[tuple]:
    """A server and a browser of our own."""
    with TemporaryDirectory() as runs, serve(Path(runs)) as address, chromium() as browser:
        yield address, browser


def prompt_of(pos: int) -> str:
    """A prompt of exactly `pos` tokens for the shakespeare model."""
    import tfs

    tokenizer = tfs.load("shakespeare").tokenizer
    return tokenizer.decode(tokenizer.encode(WORDS * 8)[:pos])


REDRAW_LIMITS = {32: 200, 128: 300}  # milliseconds by tokens in the prompt
KILOBYTES, KILOBYTES_AT = 300, 64


def redraw_milliseconds(browser, address: str, what: str, pos: int, rounds: int) -> float:
    """The median over `rounds` clicks; the first two, which warm the caches, do not count."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    open_page(page, address)
    page.goto(f"{address}/{page_of(what)}?{_query(pos)}")
    page.wait_for_selector("[data-testid=stMain] h1")
    settle(page)
    page.wait_for_timeout(1500)
    controls, times = CONTROLS[what], []
    for turn in range(rounds + 2):
        control = page.locator(controls[turn % len(controls)]).first
        times.append(control.evaluate(REDRAW))
        page.wait_for_timeout(150)
    page.context.close()
    return statistics.median(times[2:])


def replay_milliseconds(browser, address: str, page_name: str, rounds: int) -> float:
    """The median of one step of the training on the replay's curve, to and fro."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    open_page(page, address)
    prompt = " ".join(str(7 * i % 16 + 1) for i in range(REPLAY_TOKENS))
    query = urlencode({"model": "induction", "snapshot": 256, "prompt": prompt})
    page.goto(f"{address}/{page_name}?{query}")
    page.wait_for_selector("[data-testid=stMain] h1")
    settle(page)
    page.wait_for_timeout(1500)
    times = []
    for turn in range(rounds + 2):
        key = ("ArrowRight", "ArrowLeft")[turn % 2]
        times.append(page.locator(".replay svg").evaluate(REDRAW, key))
        page.wait_for_timeout(150)
    page.context.close()
    return statistics.median(times[2:])


def page_of(what: str) -> str:
    return what.partition(",")[0]


def kilobytes(browser, address: str, page_name: str, pos: int) -> float:
    """What came through the page's socket until it stood still."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    received = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: received.append(len(data))),
    )
    page.goto(f"{address}/{page_name}?{_query(pos)}")
    page.wait_for_selector("[data-testid=stMain] h1")
    settle(page)
    page.wait_for_timeout(1000)
    page.context.close()
    return sum(received) / 1000


def _query(pos: int) -> str:
    return urlencode({"model": "shakespeare", "prompt": prompt_of(pos)})
