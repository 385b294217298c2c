"""What is particular to points in space, to positions, and to masks."""

import math

import numpy as np
import pytest
import torch


def drawn(values):
    return np.asarray(values, dtype=float)


def test_points_in_space_keep_all_three_coordinates(plots, tokens):
    points = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    fig = plots.scatter_3d(points, tokens, explained=(0.5, 0.2, 0.1), highlight=[3, 1, 3])
    everyone, marked = fig.data
    np.testing.assert_array_equal(np.stack([everyone.x, everyone.y, everyone.z], 1), points)
    np.testing.assert_array_equal(np.stack([marked.x, marked.y, marked.z], 1), points[[1, 3]])
    assert fig.layout.scene.aspectmode == "data"
    table = plots.figure_table(fig)
    assert list(table)[0] == "token" and table["token"] == tokens
    np.testing.assert_array_equal(table["third component (10% of variance)"], points[:, 2])
    assert "which hold 80% of the variance" in plots.figure_alt(fig)
    assert "lines" in plots.scatter_3d(points, tokens, path=True, what="position").data[0].mode
    with pytest.raises(ValueError, match="token has 8 entries but there are 2"):
        plots.scatter_3d(points, tokens[:2])


def test_labels_of_points_give_way_to_each_other(plots):
    together = torch.tensor([[0.0, 0.0], [0.001, 0.0], [0.0, 0.001], [0.001, 0.001], [9.0, 6.0]])
    crowd = torch.cat([together, torch.full((20, 2), 0.0005)])
    fig = plots.scatter_2d(crowd, ["word"] * 25)
    shown = [text for text in fig.data[0].text if text]
    assert "" in fig.data[0].text and shown
    assert fig.data[0].text[4] == "word", "far from all others"
    sides = [s for s, t in zip(fig.data[0].textposition, fig.data[0].text, strict=True) if t]
    assert len(set(sides[: len(shown) - 1])) > 1
    assert list(fig.data[0].hovertext) == ["word"] * 25
    path = plots.scatter_2d(crowd, ["word"] * 25, path=True, highlight=[1], what="position")
    assert [("lines" in trace.mode) for trace in path.data] == [True, False]
    assert plots.figure_alt(path).startswith("25 positions as points")


def test_neighbours_say_whose_they_are(plots):
    fig = plots.neighbour_bars(torch.tensor([0.9, -0.2]), ["a", "<b>"], of=" x")
    assert "neighbours of '·x'; the nearest is 'a' with 0.900" in plots.figure_alt(fig)
    assert fig.layout.xaxis.range[0] < -1
    assert plots.neighbour_bars(torch.tensor([0.9]), ["a"], of="x").layout.xaxis.range[0] == 0


def test_one_large_entry_does_not_darken_the_others(plots):
    W_pos = torch.full((10, 100), 0.1)
    W_pos[0, 7] = 50
    fig = plots.position_matrix(W_pos)
    assert fig.layout.coloraxis.cmax == pytest.approx(0.1)
    assert "50.00, is d_model 7 of position 0" in plots.figure_alt(fig)
    assert plots.position_matrix(torch.zeros(1, 4)).layout.coloraxis.cmax == 1
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]


def test_a_band_is_the_mean_and_its_spread_on_either_side(plots):
    mean, spread = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.25])
    fig = plots.similarity_curves({"learned": (mean, spread), "sines": (mean, spread)})
    low, high, middle = (drawn(trace.y) for trace in fig.data[:3])
    assert low.tolist() == [1.0, 0.25] and high.tolist() == [1.0, 0.75]
    assert middle.tolist() == [1.0, 0.5]
    assert fig.data[2].line.dash != fig.data[5].line.dash
    assert "learned: 0.50 at distance 1" in plots.figure_alt(fig)


def test_weights_of_two_runs_stand_side_by_side(plots):
    first, second = torch.tensor([0.5, 0.5]), torch.tensor([0.1, 0.9])
    fig = plots.weights_twice(first, second, ["a", "b"], ("one", "two"))
    np.testing.assert_array_equal(fig.data[1].y, second)
    assert "differ most, by 0.4000, at key" in plots.figure_alt(fig)
    assert fig.data[0].marker.pattern.shape != fig.data[1].marker.pattern.shape
    with pytest.raises(ValueError, match="key_pos has 2 entries but there are 3"):
        plots.weights_twice(first, second, ["a", "b", "c"], ("one", "two"))


def test_a_mask_grows_row_by_row(plots):
    mask = torch.ones(3, 3).tril().bool()
    for cells in range(10):
        fig = plots.mask_cells(mask, ["a", "b", "c"], cells=cells)
        z = drawn(fig.data[0].z).ravel()
        np.testing.assert_array_equal(z[:cells], mask.flatten()[:cells].float())
        assert np.isnan(z[cells:]).all()
        assert len(fig.layout.shapes) == (0 < cells < 9)
    frame = plots.mask_cells(mask, ["a", "b", "c"], cells=5).layout.shapes[0]
    assert (frame.x0, frame.y0) == (0.5, 0.5), "the fifth cell is query 1, key 1"
    assert "5 of its 9 cells decided: 3 open, 2 closed" in plots.figure_alt(
        plots.mask_cells(mask, ["a", "b", "c"], cells=5)
    )
    with pytest.raises(ValueError, match=r"cells must lie in 0 \.\.\. 9, not 10"):
        plots.mask_cells(mask, ["a", "b", "c"], cells=10)


def test_a_closed_key_stands_on_grey_and_its_weight_is_written_as_zero(plots):
    scores = torch.tensor([-math.inf, 2.0, -1.0, -math.inf, -math.inf])
    weights = scores.softmax(-1)
    fig = plots.softmax_steps(scores, (scores - 2).exp(), weights, list("abcde"))
    assert [(band.x0, band.x1) for band in fig.layout.shapes] == [(-0.5, 0.5), (2.5, 4.5)]
    assert [(note.text, note.x) for note in fig.layout.annotations] == [("−∞", 0), ("−∞", 3.5)]
    score, exp, weight = fig.data
    assert list(score.text) == ["", "2.00", "-1.00", "", ""]
    assert list(exp.text) == ["0", "1.00", "0.05", "0", "0"]
    np.testing.assert_array_equal(weight.y, weights)
    assert "5 keys, 3 of them closed; the largest weight, 0.953, is on key 1 'b'" in (
        plots.figure_alt(fig)
    )
    domains = [fig.layout[axis].domain for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert all(below[1] < above[0] for above, below in zip(domains, domains[1:], strict=False))
    nothing = torch.full((2,), -math.inf)
    plots.softmax_steps(nothing, torch.zeros(2), torch.zeros(2), ["a", "b"])


def test_a_loss_that_is_not_counted_leaves_a_gap(plots):
    losses = {"causal": torch.tensor([1.0, 3.0]), "padding": torch.tensor([1.0, math.nan])}
    fig = plots.loss_by_mask(losses, ["a", "b", "c"], blind=4.6)
    assert "2.000 with causal, 1.000 with padding" in plots.figure_alt(fig)
    assert list(fig.data[0].x) == [1, 2]
    assert fig.layout.shapes[0].y0 == 4.6
    assert "a blind guess, 4.60 nats" in fig.layout.xaxis.title.text
    assert {trace.marker.symbol for trace in fig.data} == {"circle", "diamond"}
    with pytest.raises(ValueError, match="predicted_pos has 2 entries but there are 1"):
        plots.loss_by_mask(losses, ["a", "b"])


def test_arrows_lead_from_point_to_point(plots):
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 0.0]])
    fig = plots.scatter_2d(points, ["a", "b", "c"], arrows=[(2, 0)])
    (arrow,) = fig.layout.annotations
    assert (arrow.ax, arrow.ay, arrow.x, arrow.y) == (4, 0, 0, 1) and arrow.showarrow is not False
