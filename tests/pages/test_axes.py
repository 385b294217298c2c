"""An axis word has one colour: in prose and shapes, on maps of cells, and in figures."""

import colorsys
import tomllib

import pytest
import torch

from tests.pages.screen import ROOT, header

IN_FIGURES = ["query_pos", "key_pos", "d_model", "d_head", "d_mlp"]


def hue(colour: str) -> float:
    """Degrees around the circle of colours."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


@pytest.mark.parametrize("word", IN_FIGURES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_have_the_hue_of_the_prose(word, scheme) -> None:
    """Prose has a shade for each theme, figures one for both."""
    from pages._ui.axes import COLOURS
    from tfs.plots import theme

    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    in_prose = config["theme"][scheme][f"{COLOURS[word]}TextColor"]
    drawn = ({"query_pos": theme.QUERY, "key_pos": theme.KEY} | theme.WIDTHS)[word]
    apart = abs(hue(in_prose) - hue(drawn))
    assert min(apart, 360 - apart) < 15


@pytest.mark.parametrize("word", ["d_model", "d_head", "d_mlp", "entry"])
def test_a_strip_names_its_axis_by_its_word_in_its_colour(word) -> None:
    from tfs.plots import theme, vector_strip

    title = vector_strip(torch.randn(1, 4), ["q"], axis=word).layout.xaxis.title
    assert title.text == word and title.font.color == theme.WIDTHS.get(word)


def test_queries_and_keys_of_a_map_have_the_colours_of_the_prose(visit) -> None:
    from pages._ui.axes import css_colour

    head = header(visit("pages/read/attention.py", model="mirror"), "large")
    assert head["rows"]["colour"] == css_colour("query_pos")
    assert head["columns"]["colour"] == css_colour("key_pos")
