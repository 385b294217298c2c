"""Pictures of every page: light, dark and 400 px wide, into screenshots/.

python -m tests.e2e.screenshots [page ...]
"""

import sys
import tempfile
from pathlib import Path

from tests.e2e.browser import PAGES, ROOT, chromium, open_page, serve

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 400, "height": 800}},
}


def main(pages: list[str]) -> None:
    out = ROOT / "screenshots"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as runs, serve(Path(runs)) as address, chromium() as browser:
        for look, options in LOOKS.items():
            page = browser.new_context(**options).new_page()
            for path in pages:
                open_page(page, address, path)
                height = page.evaluate(
                    "() => document.querySelector('[data-testid=stMain]').scrollHeight"
                )
                page.set_viewport_size(
                    {**options["viewport"], "height": max(800, min(height, 6000))}
                )
                page.wait_for_timeout(600)
                name = path.partition("?")[0] or "home"
                page.screenshot(path=out / f"{name}-{look}.png")
                page.set_viewport_size(options["viewport"])
                print(out / f"{name}-{look}.png")


if __name__ == "__main__":
    main(sys.argv[1:] or list(PAGES))
