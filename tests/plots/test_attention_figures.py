"""What is particular to one head's pictures: contributions, turned patterns, bars of one query."""

import math

import numpy as np
import pytest
import torch


def test_contributions_have_a_scale_of_their_own(plots):
    lengths = torch.tensor([[4.0, 0.0], [1.0, 2.5]])
    fig = plots.attention_contributions(lengths, ["a", "a"], title="L0H1")
    assert fig.data[0].z.tolist() == lengths.tolist()
    assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (0, 4)
    assert "the largest length, 4.00, is from query 0 'a' to key 0 'a'" in plots.figure_alt(fig)
    table = plots.figure_table(fig)
    assert list(table) == ["query", "query token", "key", "key token", "length"]
    assert table["length"] == [4.0, 0.0, 1.0, 2.5]
    assert plots.attention_contributions(0 * lengths, ["a", "a"]).layout.coloraxis.cmax == 1
    with pytest.raises(ValueError, match="query_pos has 2 entries but there are 3 tokens"):
        plots.attention_contributions(lengths, ["a", "b", "c"])


def test_a_turned_pattern_has_keys_downward_and_the_same_numbers(plots):
    pattern = torch.tensor([[1.0, 0.0, 0.0], [0.4, 0.6, 0.0], [0.1, 0.7, 0.2]])
    tokens = ["a", "b", "c"]
    upright = plots.attention_pattern(pattern, tokens, title="L0H0")
    turned = plots.attention_pattern(pattern, tokens, title="L0H0", keys_as_rows=True)
    np.testing.assert_array_equal(turned.data[0].z, pattern.T.numpy())
    assert turned.layout.xaxis.title.text == "query" and turned.layout.yaxis.title.text == "key"
    colours = {fig.layout.xaxis.title.font.color for fig in (upright, turned)}
    assert colours == {upright.layout.xaxis.title.font.color, upright.layout.yaxis.title.font.color}
    assert turned.data[0].hovertemplate.index("query %{x") < turned.data[0].hovertemplate.index(
        "%{y"
    )
    assert plots.figure_alt(turned) == plots.figure_alt(upright)

    def cells(fig):
        table = plots.figure_table(fig)
        names = ("query", "query token", "key", "key token", "weight")
        return set(zip(*(table[name] for name in names), strict=True))

    assert cells(turned) == cells(upright)
    assert (1, "b", 0, "a", pytest.approx(0.4)) in sorted(cells(turned))


def test_a_turned_pattern_of_cross_attention_keeps_its_two_token_lists(plots):
    fig = plots.attention_pattern(
        torch.rand(2, 3), ["k0", "k1", "k2"], query_tokens=["q0", "q1"], keys_as_rows=True
    )
    assert list(fig.layout.xaxis.ticktext) == ["q0", "q1"]
    assert list(fig.layout.yaxis.ticktext) == ["k0", "k1", "k2"]
    table = plots.figure_table(fig)
    assert table["key token"][:2] == ["k0", "k0"] and table["query token"][:2] == ["q0", "q1"]


def test_key_bars_mark_what_the_mask_closed(plots):
    fig = plots.key_bars(torch.tensor([0.5, -2.0, -torch.inf]), ["a", "a", "b"], unit="score")
    heights = fig.data[0].y
    assert heights[:2].tolist() == [0.5, -2.0] and math.isnan(heights[2])
    assert [(mark.x, mark.text) for mark in fig.layout.annotations] == [(2, "×")]
    assert fig.data[0].marker.color[0] != fig.data[0].marker.color[1]
    assert fig.layout.yaxis.title.text == "score" and fig.layout.xaxis.title.text == "key"
    alt = plots.figure_alt(fig)
    assert alt == "score of 3 keys, 1 of them masked; the largest, 0.500, is key 0 'a'."
    table = plots.figure_table(fig)
    assert table["key"] == [0, 1, 2] and table["key token"] == ["a", "a", "b"]


def test_key_bars_frame_the_locked_key_and_write_where_there_is_room(plots):
    fig = plots.key_bars(torch.rand(3), ["a", "b", "c"], unit="weight", lock=1)
    assert list(fig.data[0].marker.line.width) == [0, 3, 0]
    assert all(fig.data[0].text)
    assert plots.key_bars(torch.rand(33), ["a"] * 33, unit="weight").data[0].text is None
    every = plots.key_bars(torch.full((2,), -torch.inf), ["a", "b"], unit="score")
    assert plots.figure_alt(every) == "score of 2 keys, 2 of them masked."


def test_position_bars_tell_equal_tokens_apart_and_name_the_largest(plots):
    fig = plots.position_bars(torch.tensor([0.5, -2.0, 1.5]), ["a", "b", "a"], unit="x", lock=2)
    assert fig.layout.xaxis.title.text == "position" and fig.layout.yaxis.title.text == "x"
    assert list(fig.data[0].marker.line.width) == [0, 0, 3]
    assert plots.figure_alt(fig) == "x at 3 positions; the largest, 1.500, is at 2 'a'."
    table = plots.figure_table(fig)
    assert table == {"position": [0, 1, 2], "token": ["a", "b", "a"], "x": [0.5, -2.0, 1.5]}
    with pytest.raises(ValueError, match="pos has 1 entries but there are 2"):
        plots.position_bars(torch.ones(1), ["a", "b"], unit="x")


@pytest.mark.parametrize("values", [torch.linspace(-80, 40, 26), -torch.rand(26), torch.zeros(26)])
def test_many_key_bars_write_their_numbers_upward_with_room_for_them(plots, values):
    fig = plots.key_bars(values, ["a"] * 26, unit="score")
    bars, (low, high) = fig.data[0], fig.layout.yaxis.range
    assert list(bars.text) == [f"{value:.2f}" for value in values.tolist()]
    assert bars.textangle == -90 and bars.constraintext == "none"
    panels = plots.softmax_steps(values, values.exp(), values.softmax(-1), ["a"] * 26).data
    assert all(panel.textangle == -90 and all(panel.text) for panel in panels)
    assert low <= min(0, values.min()) and high >= max(0, values.max()) and low < high
    assert not low or low < values.min() and (not high or high > values.max())


def test_the_lens_shows_a_part_and_keeps_the_rest(plots):
    pos = 40
    lens = (torch.rand(2, pos), [["x"] * pos] * 2, ["t"] * pos, ["low", "high"])
    fig = plots.logit_lens(*lens, shown=range(10, 30))
    assert tuple(fig.layout.xaxis.range) == (9.5, 29.5)
    assert fig.data[0].z.shape == (2, pos) and fig.data[0].texttemplate
    assert len(plots.figure_table(fig)["probability"]) == 2 * pos
    ticks = [tick for tick in fig.layout.xaxis.tickvals if 10 <= tick < 30]
    assert ticks == list(range(10, 30)), "every position in view has its token"
    assert plots.logit_lens(*lens).data[0].texttemplate == ""  # 40 words have no room


@pytest.mark.parametrize(
    ("most", "unit"), [(0, "B"), (700, "B"), (3000, "KiB"), (5 << 20, "MiB"), (3 << 30, "GiB")]
)
def test_bytes_have_round_binary_ticks(plots, most, unit):
    fig = plots.kv_growth([0, 1], [0, most])
    values, texts = fig.layout.yaxis.tickvals, fig.layout.yaxis.ticktext
    size = 1024 ** ("B", "KiB", "MiB", "GiB").index(unit)
    assert [text.split() for text in texts] == [[f"{v / size:g}", unit] for v in values]
    steps = set(np.diff(values))
    assert len(steps) == 1 and math.log2(steps.pop() / size).is_integer()
    assert values[0] == 0 and values[-1] >= most and 2 <= len(values) <= 8
