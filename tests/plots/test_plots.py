"""What is particular to one figure."""

import math

import numpy as np
import pytest
import torch


def test_visible_tokens():
    from tfs.plots.tokens import token_label, visible

    assert visible(" the\n\t\r") == "·the↵⇥␍"
    assert visible("") == ""
    assert visible("\u202e\x00") == "\\u202e\\u0000"
    assert visible("\u0301") == "◌\u0301"
    assert visible("abcdefghijklm") == "abcdefghijk…"
    assert token_label("<b>") == "&lt;b&gt;"
    assert token_label("&lt;") == "&amp;lt;"
    assert token_label("<<<<<<<<<<<<<") == "&lt;" * 11 + "…"  # cut first, then escaped


def test_token_axes_are_positions_and_thin_out():
    from tfs.plots.tokens import token_axis

    axis = token_axis(["a"] * 100, most=32, from_top=True)
    assert axis["tickvals"] == list(range(0, 100, 4))
    assert len(axis["ticktext"]) == 25
    assert axis["labelalias"]["99"] == "a"
    assert axis["range"] == [99.5, -0.5]


def test_the_grid_has_a_panel_for_every_head(plots, figures, tokens, scores):
    fig = figures["attention_grid"]
    names = ["L0H0", "L0H1", "L0H2", "L1H0", "L1H1", "L1H2"]
    assert [trace.name for trace in fig.data] == names
    assert [note.text for note in fig.layout.annotations][:6] == names
    assert {trace.xaxis for trace in fig.data} == {"x", "x2", "x3", "x4", "x5", "x6"}
    lefts = [fig.layout[f"xaxis{n}" if n > 1 else "xaxis"].domain[0] for n in range(1, 7)]
    tops = [fig.layout[f"yaxis{n}" if n > 1 else "yaxis"].domain[1] for n in range(1, 7)]
    assert lefts == [0, 0.5, 0, 0, 0.5, 0]  # columns=2: a layer is two rows
    assert tops[0] == tops[1] > tops[2] > tops[3] == tops[4] > tops[5]
    top, bottom = fig.layout.yaxis4.range[::-1]
    assert top < bottom  # queries run downward
    np.testing.assert_array_equal(fig.data[4].z, scores.softmax(-1)[1, 1].numpy())
    table = plots.figure_table(fig)
    assert list(table) == ["head", "query", "query token", "key", "key token", "weight"]
    assert len(table["head"]) == 6 * 8 * 8
    assert table["query token"][8] == "\n" and table["key token"][2] == "<b>x</b>"


def test_query_and_key_stand_on_the_axes(figures):
    for name in ("attention_pattern", "attention_scores", "attention_mask"):
        layout = figures[name].layout
        assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("key", "query")
        assert layout.yaxis.range[0] > layout.yaxis.range[1]


def test_alt_text_names_the_largest_weight_of_a_query_that_has_a_choice(plots):
    pattern = torch.tensor([[1.0, 0.0, 0.0], [0.4, 0.6, 0.0], [0.05, 0.93, 0.02]])
    alt = plots.figure_alt(plots.attention_pattern(pattern, ["a", "b", "b"], title="L0H1"))
    assert alt == (
        "Attention of L0H1 on 3 tokens; the largest weight, among queries with more than one key "
        "to see, 0.93, is from query 2 'b' to key 1 'b'."
    )
    alt = plots.figure_alt(plots.attention_pattern(torch.eye(3), ["a", "b", "b"]))
    assert "the largest weight, 1.00, is from query 0 'a' to key 0 'a'" in alt


def test_masked_scores_are_drawn_apart(plots, scores, tokens):
    fig = plots.attention_scores(scores[0, 0], tokens)
    cells, masked = fig.data
    assert "masked" in masked.hovertemplate and masked.hoverongaps is False
    assert np.isnan(masked.z).sum() == 36 and np.isneginf(cells.z).sum() == 28
    assert len(plots.attention_scores(torch.zeros(2, 2), ["a", "b"]).data) == 1
    plots.attention_scores(torch.full((2, 2), -torch.inf), ["a", "b"])


def test_cross_attention_has_two_token_lists(plots):
    fig = plots.attention_pattern(torch.rand(2, 3), ["a", "b", "c"], query_tokens=["x", "y"])
    assert list(fig.layout.xaxis.ticktext) == ["a", "b", "c"]
    assert list(fig.layout.yaxis.ticktext) == ["x", "y"]


def test_sizes_that_do_not_fit_are_refused(plots):
    with pytest.raises(ValueError, match="query_pos has 3 entries but there are 2 tokens"):
        plots.attention_pattern(torch.rand(3, 3), ["a", "b"])
    with pytest.raises(ValueError, match="layer has 2 entries but there are 1 row labels"):
        plots.logit_lens(torch.rand(2, 1), [["a"], ["a"]], ["a"], ["only one"])
    with pytest.raises(ValueError, match="component has 2 entries but there are 3 labels"):
        plots.signed_bars(torch.rand(2), ["a", "b", "c"], x_title="logit")


def test_heads_without_a_number_stay_empty(plots):
    scores = torch.tensor([[0.5, math.nan]])
    assert "the largest, 0.50, is that of L0H0" in plots.figure_alt(plots.head_scores(scores))
    assert "no head has a number" in plots.figure_alt(plots.head_scores(scores * math.nan))
    signed = plots.head_scores(torch.tensor([[0.5, -2.0]]), signed=True)
    assert (signed.layout.coloraxis.cmin, signed.layout.coloraxis.cmax) == (-2, 2)


def test_the_bar_of_head_scores_is_called_what_the_numbers_are(plots):
    for value in ("score", "change"):
        fig = plots.head_scores(torch.rand(1, 4), "Largest change of a weight", value=value)
        (name,) = fig.layout.annotations
        assert name.text == value
        assert fig.layout.coloraxis.colorbar.len < name.xshift


def test_levels_are_named_in_the_legend_each_drawn_in_its_own_way(plots):
    """Beside the plot their names would take half the width of a phone."""
    levels = {"ln V": 4.605, "unigram": 4.6, "floor": 2.149}
    fig = plots.loss_curve([0, 1], [4.6, 2.2], references=levels)
    assert [line.name for line in fig.layout.shapes] == [
        f"{k} = {v:.3f}" for k, v in levels.items()
    ]
    assert [line.y0 for line in fig.layout.shapes] == list(levels.values())
    assert all(line.showlegend for line in fig.layout.shapes)
    assert len({line.line.dash for line in fig.layout.shapes}) == 3
    assert not fig.layout.annotations and fig.layout.margin.r < 30


def test_a_training_that_has_not_begun_or_has_failed_can_be_drawn(plots):
    assert plots.figure_alt(plots.loss_curve([], [])) == "No training step yet."
    assert plots.figure_alt(plots.lr_schedule([], [])) == "No step yet."
    fig = plots.loss_curve([0, 1], [4.6, math.nan], references={"ln V": 4.605})
    assert all(map(math.isfinite, fig.layout.yaxis.range))


def test_bars_say_which_sign_they_have_without_colour(plots):
    fig = plots.signed_bars(torch.tensor([1.5, -0.5]), ["up", "down"], x_title="logit")
    assert list(fig.data[0].text) == ["+1.50", "-0.50"]
    assert fig.data[0].marker.color[0] != fig.data[0].marker.color[1]
    assert "+1.00 in all; the largest is up with +1.50" in plots.figure_alt(fig)


def test_amounts_are_written_without_a_sign_and_whole_where_they_are_whole(plots):
    fig = plots.amount_bars(torch.tensor([12992.0, 0.0039062]), ["a", "b"], x_title="numbers")
    assert list(fig.data[0].text) == ["12,992", "0.00391"]
    assert "+" not in plots.figure_alt(fig) and "a with 12,992" in plots.figure_alt(fig)
    alone, beside = (
        plots.amount_bars(torch.ones(1), ["a"], x_title="size", among=others).layout.xaxis.range
        for others in ([], [4.0, math.nan])
    )
    assert alone[0] == beside[0] == 0 and beside[1] == 4 * alone[1]


def test_curves_share_an_axis_where_they_are_told_of_each_other(plots):
    first, second = [4.0, 1.0], [2.5, 0.5]
    ends = [
        plots.loss_curve([0, 1], one, among=other).layout.yaxis.range
        for one, other in ((first, second), (second, first))
    ]
    assert ends[0] == ends[1] and ends[0][0] < 0.5 < 4.0 < ends[0][1]
    rates = [
        plots.lr_schedule([0, 1], one, among=other).layout.yaxis.range
        for one, other in ((first, second), (second, first))
    ]
    assert rates[0] == rates[1] and rates[0][1] > 4.0


def test_terms_stack_up_to_their_sum(plots):
    fig = plots.stacked_terms(["W_E", "W_U"], [30, 10], "parameters")
    assert sum(trace.x[0] for trace in fig.data) == fig.layout.xaxis.range[1] == 40
    assert plots.figure_table(fig) == {"term": ["W_E", "W_U"], "parameters": [30, 10]}
    assert "the largest is W_E with 30 (75.0%)" in plots.figure_alt(fig)


def test_no_two_of_many_terms_look_the_same(plots):
    fig = plots.stacked_terms([f"term {i}" for i in range(30)], [1] * 30, "parameters")
    looks = {(trace.marker.color, trace.marker.pattern.shape) for trace in fig.data}
    assert len(looks) == 30
    markers = [trace.marker for trace in plots.stacked_terms(list("ab" * 10), [1, 9] * 10, "").data]
    largest = {marker.color for marker in markers[1:16:2]}
    assert len(largest) == 8 and not any(marker.pattern.shape for marker in markers[1:16:2])


def test_tables_keep_the_tokens_as_they_are(plots, figures, tokens):
    lens = plots.figure_table(figures["logit_lens"])
    assert lens["first choice"] == tokens * 3 and lens["token"] == tokens * 3
    assert lens["layer"][:9] == ["layer 0"] * 8 + ["layer 1"]
    assert plots.figure_table(figures["scatter_2d"])["token"] == tokens
    assert plots.figure_table(figures["token_trajectory"])["token"][:4] == [" the"] * 3 + ["\n"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_tensors_of_any_kind_are_taken(plots, dtype):
    weights = torch.rand(2, 2, dtype=dtype, requires_grad=True)
    fig = plots.attention_pattern(weights, ["a", "b"])
    assert fig.data[0].z.dtype == np.float32
    assert plots.attention_pattern(np.eye(2), ["a", "b"]).data[0].z.dtype == np.float32
