"""A figure's own page can be read offline, in the light and in the dark."""

import pytest
import torch

CONTRAST = """() => {
  const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = text => rgb(text).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const page = light(getComputedStyle(document.documentElement).backgroundColor);
  const against = colour => {
    const [low, high] = [page, light(colour)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const words = [...document.querySelectorAll('h1, p, pre, .main-svg text')];
  return {
    dark: page < 0.1,
    worst: Math.min(...words.map(word => {
      const style = getComputedStyle(word);
      return against(word instanceof SVGElement ? style.fill : style.color);
    })),
    words: words.length,
    opaque: [...document.querySelectorAll('.bg, .main-svg')].filter(
      part => !/rgba\\(.*, 0\\)|none/.test(getComputedStyle(part).fill)
        && getComputedStyle(part).fillOpacity !== '0' && part.matches('rect')).length,
  };
}"""


def pages_of(plots):
    from pages._ui.standalone import standalone_page

    tokens = [" the", "a", " the"]
    for fig in (
        plots.key_bars(torch.tensor([0.5, -1.0, 2.0]), tokens, unit="score", title="Bars"),
        plots.similarity_matrix(torch.eye(3), tokens),
        plots.norm_lines({"resid_pre": torch.rand(3), "resid_post": torch.rand(3)}),
        plots.scatter_2d(torch.randn(3, 2), tokens),
    ):
        yield standalone_page(
            fig, plots.figure_alt(fig), page="Attention", model="m", prompt="p", program="x = 1"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_its_readers_theme(browser, tmp_path, scheme) -> None:
    from tfs import plots

    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    for number, html in enumerate(pages_of(plots)):
        file = tmp_path / f"{number}.html"
        file.write_text(html)
        page.goto(file.as_uri())
        page.locator(".main-svg .xtick text").first.wait_for()
        page.wait_for_timeout(300)
        seen = page.evaluate(CONTRAST)
        assert seen["dark"] == (scheme == "dark")
        assert seen["words"] > 8 and seen["worst"] >= 3 and not seen["opaque"], seen
    other = "light" if scheme == "dark" else "dark"
    page.emulate_media(color_scheme=other)
    page.wait_for_timeout(500)
    seen = page.evaluate(CONTRAST)
    assert seen["dark"] == (other == "dark") and seen["worst"] >= 3
    context.close()
