"""What holds on every page, light and dark, wide and narrow: it fits, it is quiet, it is readable.

axe-core comes with axe-playwright-python. Left out are parts that Streamlit itself draws and that
no page can change: its navigation, key hints on buttons, the colours of code, and data tables.
"""

from pathlib import Path

import axe_playwright_python
import pytest

from tests.e2e.browser import PAGES, open_page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
NOT_OURS = ["[data-testid=stSidebarNav]", "kbd", ".token", "[data-testid=stDataFrame]"]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
RUN_AXE = """async ([exclude, rules]) => (await axe.run(
  {exclude: exclude.map(selector => [selector])}, {runOnly: rules}
)).violations
  .filter(found => ['serious', 'critical'].includes(found.impact))
  .flatMap(found => found.nodes.map(node => found.id + ': ' + node.html.slice(0, 160)))"""

# Of every toolbar in view, what it lies on: words, tables, drawings, other toolbars' hosts.
TOOLBARS = """() => [...document.querySelectorAll('.modebar, [data-testid=stElementToolbar]')]
  .filter(bar => bar.offsetParent && getComputedStyle(bar).opacity > 0)
  .map(bar => {
    const box = bar.getBoundingClientRect();
    const under = ['[data-testid=stDataFrame] canvas', '.js-plotly-plot .bglayer rect',
      '.js-plotly-plot text', '[data-testid=stMarkdownContainer] > *', '[data-testid=stExpander]',
      'iframe', '[data-testid=stSlider]', '[data-testid=stMetric]'];
    const hit = [...document.querySelectorAll(under.join())].find(other => {
      const o = other.getBoundingClientRect();
      return o.width && o.left < box.right - 1 && o.right > box.left + 1
        && o.top < box.bottom - 1 && o.bottom > box.top + 1;
    });
    bar.scrollIntoView({block: 'center'});
    const now = bar.getBoundingClientRect();
    const seen = document.elementFromPoint(now.right - 12, now.top + now.height / 2);
    const on = hit ? hit.outerHTML.slice(0, 160) : bar.contains(seen) ? '' : 'cut off, out of view';
    return {bar: bar.className, on};
  })"""

SCROLLED = """() => [...document.querySelectorAll('.js-plotly-plot')]
  .map(plot => plot.closest('[data-testid=stElementContainer]'))
  .filter(box => getComputedStyle(box).overflowY !== 'visible')
  .filter(box => box.scrollHeight > box.clientHeight)
  .map(box => box.className)"""


@pytest.fixture(params=["light", "dark"])
def looked_at(request, browser):
    """A wide and, in light, a narrow page, whose requests and complaints are kept."""
    context = browser.new_context(
        viewport={"width": 400 if request.param == "light" else 1280, "height": 900},
        color_scheme=request.param,
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.hosts, page.complaints = set(), []
    page.on("request", lambda r: page.hosts.add(r.url.split("/")[2].split(":")[0]))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: _complain(page, message))
    yield page
    context.close()


def _complain(page, message) -> None:
    """Errors, except those of Streamlit's own probes for a host that embeds it."""
    if message.type == "error" and "_stcore" not in (message.location or {}).get("url", ""):
        page.complaints.append(f"{message.text} ({message.location})")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_is_quiet_and_can_be_read_by_everyone(looked_at, server, path) -> None:
    page = looked_at
    open_page(page, server, path)
    page.wait_for_timeout(500)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert not page.get_by_test_id("stException").count()
    assert page.complaints == []
    assert page.hosts - {""} == {"127.0.0.1"}
    page.add_script_tag(path=AXE)
    assert page.evaluate(RUN_AXE, [NOT_OURS, RULES]) == []


@pytest.mark.parametrize("path", ["output?model=mirror&new=2", "arithmetic?model=mirror"])
def test_on_a_touch_screen_no_toolbar_lies_on_anything(browser, server, path) -> None:
    context = browser.new_context(
        viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    open_page(page, server, path)
    page.wait_for_timeout(1000)
    found = page.evaluate(TOOLBARS)
    assert found and [each["on"] for each in found if each["on"]] == []
    assert page.evaluate(SCROLLED) == [], "a figure is scrolled inside its own box"
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
