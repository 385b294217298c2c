"""What is particular to the figures of choosing a token."""

import math

import numpy as np
import pytest
import torch

TOKENS = [" the", "a", "a", "<b>"]
LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])
SCALED = LOGITS / 0.5
PROBS = SCALED.softmax(-1)
AFTER_TOP_K = PROBS * torch.tensor([1, 1, 1, 0])
AFTER_TOP_P = torch.tensor([0.9, 0.1, 0.0, 0.0])
ROAD = (LOGITS, SCALED, PROBS, AFTER_TOP_K, AFTER_TOP_P)


def test_five_panels_share_the_tokens(plots):
    fig = plots.sampling_rows(*ROAD, TOKENS)
    names = ["logit", "scaled logit", "probability", "after top-k", "after top-p"]
    assert [bars.name for bars in fig.data] == names
    assert [bars.xaxis for bars in fig.data] == ["x", "x2", "x3", "x4", "x5"]
    assert {bars.yaxis for bars in fig.data} == {None}  # all of them have the first
    for bars, values in zip(fig.data, ROAD, strict=True):
        np.testing.assert_array_equal(bars.x, values.numpy())
        assert list(bars.y) == [0, 1, 2, 3]
    assert list(fig.layout.yaxis.ticktext) == ["·the", "a", "a", "&lt;b&gt;"]
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]
    domains = [fig.layout[f"xaxis{n}"].domain for n in ("", 2, 3, 4, 5)]
    assert all(a[1] < b[0] for a, b in zip(domains, domains[1:], strict=False))


def test_logits_share_a_scale_and_probabilities_another(plots):
    layout = plots.sampling_rows(*ROAD, TOKENS).layout
    assert layout.xaxis.range == layout.xaxis2.range
    assert layout.xaxis.range[0] < -2 and layout.xaxis.range[1] > 4
    assert layout.xaxis3.range == layout.xaxis4.range == layout.xaxis5.range == (0, 1.6)


def test_the_drawn_token_is_marked_without_colour(plots):
    fig = plots.sampling_rows(*ROAD, TOKENS, drawn=1)
    assert [text.startswith("▶") for text in fig.layout.yaxis.ticktext] == [
        False,
        True,
        False,
        False,
    ]
    for bars in fig.data:
        assert list(bars.marker.pattern.shape) == ["", "/", "", ""]
    table = plots.figure_table(fig)
    assert table["drawn"] == ["", "drawn", "", ""] * 5
    assert table["token"] == TOKENS * 5
    assert table["step"][::4] == [bars.name for bars in fig.data]
    assert "most likely there is '·the' with 0.900; drawn was 'a' with 0.100." in (
        plots.figure_alt(fig)
    )
    assert "▶" not in "".join(plots.sampling_rows(*ROAD, TOKENS).layout.yaxis.ticktext)


def test_what_was_cut_says_so(plots):
    fig = plots.sampling_rows(*ROAD, TOKENS)
    assert fig.data[3].text[3] == "cut" and "cut" not in fig.data[3].text[:3]
    assert list(fig.data[4].text) == ["0.900", "0.100", "cut", "cut"]
    assert "cut" not in fig.data[2].text


def test_temperature_zero_has_scaled_logits_without_end(plots):
    scaled = torch.tensor([0.0, *[-math.inf] * 3])
    certain = torch.tensor([1.0, 0, 0, 0])
    fig = plots.sampling_rows(LOGITS, scaled, certain, certain, certain, TOKENS, drawn=0)
    assert [note.text for note in fig.layout.annotations] == ["0.00", "−∞", "−∞", "−∞"]
    assert all(map(math.isfinite, fig.layout.xaxis2.range))
    assert plots.figure_table(fig)["value"][4:8] == [0.0, *[-math.inf] * 3]
    assert list(fig.data[4].text) == [
        "1.000",
        "0.000",
        "0.000",
        "0.000",
    ]  # nothing was there to cut


@pytest.mark.parametrize("logits", [torch.zeros(4), -torch.ones(4), torch.full((4,), -math.inf)])
def test_scales_have_an_extent_whatever_the_logits(plots, logits):
    layout = plots.sampling_rows(logits, logits, *ROAD[2:], TOKENS).layout
    low, high = layout.xaxis.range
    assert low <= 0 <= high and low < high and math.isfinite(high - low)


def test_no_token_to_show_is_no_error(plots):
    assert "0 tokens" in plots.figure_alt(plots.sampling_rows(*[torch.zeros(0)] * 5, []))
    assert plots.figure_alt(plots.mass_kept({})) == "No token was drawn yet."
    assert plots.figure_alt(plots.mass_kept({"greedy": torch.zeros(0)})).startswith("No token")


def test_rows_that_do_not_fit_are_refused(plots):
    with pytest.raises(ValueError, match="logit has 4 entries but there are 3 tokens"):
        plots.sampling_rows(*ROAD, TOKENS[:3])
    for row in (4, -1):
        with pytest.raises(ValueError, match=f"row {row} was drawn, but there are 4 tokens"):
            plots.sampling_rows(*ROAD, TOKENS, drawn=row)


def test_each_lane_has_its_own_dash_and_marker(plots):
    lanes = {name: torch.rand(3) for name in ("greedy", "temperature", "top-k", "top-p")}
    fig = plots.mass_kept(lanes)
    assert [line.name for line in fig.data] == list(lanes)
    assert len({line.line.dash for line in fig.data}) == 4
    assert len({line.marker.symbol for line in fig.data}) == 4
    for line, values in zip(fig.data, lanes.values(), strict=True):
        np.testing.assert_array_equal(line.y, values.numpy())
        np.testing.assert_allclose(np.asarray(line.customdata), 1 - values.numpy())
        assert list(line.x) == [1, 2, 3]
    table = plots.figure_table(fig)
    assert table["lane"] == [name for name in lanes for _ in range(3)]
    assert fig.layout.yaxis.range[0] < 0 and fig.layout.yaxis.range[1] > 1


def test_alt_text_gives_the_mean_of_each_lane(plots):
    fig = plots.mass_kept({"greedy": torch.tensor([0.5, 0.7]), "top-k": torch.tensor([0.0, 0.1])})
    assert plots.figure_alt(fig) == (
        "Probability out of reach, mean over 2 new tokens: greedy 0.600, top-k 0.050."
    )
