"""What is particular to the figures of a block and its neurons."""

import numpy as np
import pytest
import torch

STAGES = ["resid_pre", "ln1", "attn_out", "resid_mid", "ln2", "neurons", "mlp_out", "resid_post"]
LENGTHS = torch.tensor([1.0, 5.0, 2.0, 2.5, 12.0, 13.0, 20.0, 21.0])


def test_the_road_goes_by_the_stages_and_side_roads_come_back(plots):
    fig = plots.block_road(LENGTHS, STAGES, at="ln2")
    joins, drawing, numbers = fig.data
    assert list(joins.x) == [2.5, 6.5]  # after attn_out and after mlp_out
    assert list(drawing.y) == [0, 1, 1, 0, 1, 1, 1, 0]
    assert drawing.text[6] == "mlp_out<br>20.00"
    assert drawing.marker.symbol[4] == "diamond" and set(drawing.marker.symbol[:4]) == {"circle"}
    np.testing.assert_array_equal(numbers.y, LENGTHS.numpy())
    assert plots.figure_table(fig) == {"stage": STAGES, "length": LENGTHS.tolist()}
    assert "mlp_out 20.00, resid_post 21.00." in plots.figure_alt(fig)


def test_a_road_is_as_wide_as_its_vector_is_long(plots):
    fig = plots.block_road(LENGTHS, STAGES)
    width = {(line.x0, line.y0, line.x1, line.y1): line.line.width for line in fig.layout.shapes}
    before, between, after = width[0, 0, 2.5, 0], width[3, 0, 6.5, 0], width[7, 0, 7.5, 0]
    assert before < between < after
    assert width[2, 1, 2.5, 0] < width[6, 1, 6.5, 0]  # what attention writes, what the MLP writes
    assert width[0, 0, 1, 1] == width[1, 1, 2, 1] < before  # a copy that is only read


def test_norms_after_the_sums_lie_on_the_road(plots):
    stages = ["resid_pre", "attn_out", "resid_mid", "ln1", "mlp_out", "resid_post", "ln2"]
    fig = plots.block_road(torch.ones(7), stages, on_road=("ln1", "ln2"))
    assert list(fig.data[1].y) == [0, 1, 0, 0, 1, 0, 0]
    assert list(fig.data[0].x) == [1.5, 4.5]
    lines = {(line.x0, line.y0, line.x1, line.y1) for line in fig.layout.shapes}
    assert (3, 0, 4, 1) in lines, "the MLP reads what ln1 gives"
    assert (2, 0, 3, 1) not in lines and {(2, 0, 2.5, 0), (2.5, 0, 3, 0)} <= lines


def test_a_block_without_an_mlp_has_four_stages(plots):
    stages = ["resid_pre", "ln1", "attn_out", "resid_post"]
    fig = plots.block_road(torch.ones(4), stages)
    assert list(fig.data[0].x) == [2.5]
    assert plots.figure_table(fig)["stage"] == stages
    plots.block_road(torch.zeros(3), ["resid_pre", "attn_out", "resid_post"])  # nor a norm
    with pytest.raises(ValueError, match="stage has 3 entries but there are 4 stages"):
        plots.block_road(torch.ones(3), stages)


def test_two_maps_can_share_a_scale(plots):
    lengths = torch.tensor([[1.0, 2.0], [3.0, 0.5]])
    fig = plots.norm_map(lengths, ["a", "a"], most=10, lock=(1, 0), title="MLP")
    assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (0, 10)
    frame = fig.layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 0.5, 0.5, 1.5)
    assert "the longest, 3.00, is in layer 1 at position 0 'a'" in plots.figure_alt(fig)
    assert plots.norm_map(lengths, ["a", "a"]).layout.coloraxis.cmax == 3
    assert plots.norm_map(0 * lengths, ["a", "a"]).layout.coloraxis.cmax == 1
    table = plots.figure_table(fig)
    assert table["layer"] == [0, 0, 1, 1] and table["length"] == [1.0, 2.0, 3.0, 0.5]


def test_lines_differ_without_colour(plots):
    fig = plots.norm_lines({name: torch.rand(3) for name in ("a", "b", "c", "d")})
    assert len({line.line.dash for line in fig.data}) == 4
    assert len({line.marker.symbol for line in fig.data}) == 4
    assert plots.figure_table(fig)["vector"] == [name for name in "abcd" for _ in range(3)]


def test_mean_above_scale_below(plots):
    mean, scale = torch.tensor([-0.5, 0.25]), torch.tensor([2.0, 3.0])
    fig = plots.mean_and_scale(mean, scale, ["a", "a"], lock=1)
    assert [bars.name for bars in fig.data] == ["mean", "scale"]
    assert fig.layout.yaxis2.domain[0] > fig.layout.yaxis.domain[1]
    assert fig.data[0].marker.color[0] != fig.data[0].marker.color[1]
    assert list(fig.data[1].marker.line.width) == [0, 3]
    table = plots.figure_table(fig)
    assert table["of"] == ["mean", "mean", "scale", "scale"]
    assert table["value"] == [-0.5, 0.25, 2.0, 3.0] and table["token"] == ["a"] * 4


def test_each_strip_has_its_own_scale(plots):
    vectors = torch.tensor([[0.1, -0.2], [30.0, 10.0], [0.0, 0.0]])
    fig = plots.scaled_strips(vectors, ["before", "after", "zero"])
    assert [round(row.zmax, 6) for row in fig.data] == [0.2, 30.0, 1.0]
    assert all(row.zmin == -row.zmax and list(row.y) == [i] for i, row in enumerate(fig.data))
    assert fig.layout.yaxis.ticktext[0] == "before<br>± 0.2"
    table = plots.figure_table(fig)
    assert table["vector"] == ["before"] * 2 + ["after"] * 2 + ["zero"] * 2
    assert table["d_model"] == [0, 1] * 3
    np.testing.assert_allclose(table["value"], vectors.flatten())


def test_the_strongest_neuron_is_on_the_left(plots):
    activations = torch.tensor([[3.0, 1.0], [5.0, 2.0]])
    neurons = torch.tensor([[7, 8], [9, 7]])
    fig = plots.neuron_map(activations, neurons, ["a", "a"], lock=1)
    cells = fig.data[0]
    assert cells.z.tolist() == [[3.0, 1.0], [5.0, 2.0]] and cells.text.tolist() == [[7, 8], [9, 7]]
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]
    frame = fig.layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 1.5, 0.5, 1.5)
    assert "neuron 9 at position 1 'a', with 5.00" in plots.figure_alt(fig)
    table = plots.figure_table(fig)
    assert table["neuron"] == ["7", "8", "9", "7"] and table["place"] == ["1", "2", "1", "2"]
    for pos, row in ((26, 20), (48, 20), (49, 8), (128, 8)):
        fig = plots.neuron_map(torch.rand(pos, 2), torch.zeros(pos, 2).long(), ["a"] * pos)
        assert (len(fig.data) > 1) == (row == 20), "numbers where they have room"
        assert fig.layout.height - 100 - row * pos == pytest.approx(60, abs=60)  # bar and margins
    assert fig.layout.height >= 100 + row * pos


def test_the_number_of_a_neuron_can_be_read_on_every_colour(plots):
    from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

    from tfs.plots.theme import SEQUENTIAL

    def luminance(rgb):
        parts = [c / 255 for c in rgb]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    activations = torch.arange(40).reshape(40, 1).float()
    fig = plots.neuron_map(activations, torch.arange(40)[:, None] + 100, ["a"] * 40)
    written = {}
    for trace in fig.data[1:]:
        assert trace.mode == "text" and trace.hoverinfo == "skip"
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True):
            assert x == 0 and text == 100 + y
            written[int(y)] = luminance(hex_to_rgb(trace.textfont.color))
    assert sorted(written) == list(range(40)) and len(set(written.values())) == 2
    colours = sample_colorscale(SEQUENTIAL, [place / 39 for place in range(40)])
    for place, ink in written.items():
        cell = luminance(unlabel_rgb(colours[place]))
        assert (max(ink, cell) + 0.05) / (min(ink, cell) + 0.05) >= 4.5
    assert len(plots.figure_table(fig)["neuron"]) == 40


def test_a_neuron_speaks_for_tokens_and_against_tokens(plots):
    fig = plots.neuron_vocabulary(
        torch.tensor([2.0, 1.0]),
        [" yes", "<b>"],
        torch.tensor([-3.0]),
        ["no\n"],
        title="Neuron 4",
    )
    assert fig.data[0].x.tolist() == [2.0, 1.0, -3.0]
    assert list(fig.layout.yaxis.ticktext) == ["·yes", "&lt;b&gt;", "no↵"]
    assert plots.figure_table(fig)["token"] == [" yes", "<b>", "no\n"]
    alt = plots.figure_alt(fig)
    assert alt.startswith("What Neuron 4 adds to 3 logits") and "'no↵' most, with -3.000" in alt
    with pytest.raises(ValueError, match="suppressed has 1 entries but there are 2 tokens"):
        plots.neuron_vocabulary(torch.ones(1), ["a"], torch.ones(1), ["a", "b"])
