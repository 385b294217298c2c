"""Figures of a training over time: what is drawn is what was given."""

import pytest


def traces(fig) -> dict:
    return {trace.name: trace for trace in fig.data if trace.name}


def test_panels_share_one_axis_and_a_name_has_one_colour(plots):
    fig = plots.over_training(
        {
            "loss": {"training": ([0, 1, 2], [3, 2, 1])},
            "one": {"L0H0": ([0, 2], [0, 1]), "L1H0": ([0, 2], [0.5, 0.5])},
            "two": {"L1H0": ([0, 2], [1, 0])},
        },
        mark=2,
    )
    assert [trace.yaxis for trace in fig.data] == ["y", "y2", "y2", "y3"]
    colours = {(trace.name, trace.line.color) for trace in fig.data}
    assert len(colours) == 3
    domains = [fig.layout[name].domain for name in ("yaxis", "yaxis2", "yaxis3")]
    assert all(lower[1] < upper[0] for upper, lower in zip(domains, domains[1:], strict=False))
    assert fig.layout.shapes[0].x0 == 2
    table = plots.figure_table(fig)
    assert table["step"] == [0, 1, 2, 0, 2, 0, 2, 0, 2] and table["value"][:3] == [3, 2, 1]


def test_a_power_axis_leaves_step_0_out(plots):
    fig = plots.over_training({"loss": {"a": ([0, 1, 4], [3, 2, 1])}}, mark=0, log_steps=True)
    assert list(fig.data[0].x) == [1, 4] and list(fig.data[0].y) == [2, 1]
    assert fig.layout.xaxis.type == "log" and not fig.layout.shapes


def test_the_band_runs_from_the_least_to_the_most_of_the_seeds(plots):
    runs = {"a": [([1, 2, 3], [5, 3, 1]), ([1, 2], [7, 1])], "b": [([1, 2], [9, 9])]}
    fig = plots.compare_runs(runs, {"floor": 0.5})
    lines = traces(fig)
    assert list(lines["a"].x) == [1, 2] and list(lines["a"].y) == [6, 2]
    assert [list(pair) for pair in lines["a"].customdata] == [[5, 7], [1, 3]]
    (band,) = [trace for trace in fig.data if trace.fill == "toself"]
    assert list(band.y) == [7, 3, 1, 5]
    table = plots.figure_table(fig)
    assert table["step"] == [1, 2, 1, 2] and table["held-out loss"] == [6, 2, 9, 9]


def test_runs_that_have_not_begun_are_no_lines(plots):
    fig = plots.compare_runs({"a": [([], [])], "b": []})
    assert len(fig.data) == 0 and "0 runs" in plots.figure_alt(fig)


def test_only_positions_with_answers_have_a_row(plots):
    fig = plots.accuracy_by_position([10, 20], [[None, 0.0, None, 0.5], [None, 1.0, None, 0.75]])
    assert plots.figure_table(fig)["right"] == pytest.approx([0, 1, 0.5, 0.75])
    assert plots.figure_table(fig)["position"] == ["1", "1", "3", "3"]
