"""What is particular to the tree of a beam search and to the probabilities of what was written."""

import numpy as np
import pytest
import torch


def named(fig, name):
    (trace,) = [trace for trace in fig.data if trace.name == name]
    return trace


def test_each_fate_has_a_symbol_of_its_own_and_its_places(plots, weighed) -> None:
    fig = plots.beam_tree(*weighed)
    places = {
        name: list(zip(named(fig, name).x, named(fig, name).y, strict=True))
        for name in ("kept", "finished", "cut")
    }
    assert places == {
        "kept": [(1, 1), (2, 1), (2, 2), (3, 2)],
        "finished": [(1, 2)],
        "cut": [(3, 1), (4, 2)],
    }, "step 1 has one candidate that cannot be"
    assert len({named(fig, name).marker.symbol for name in places}) == 3
    assert named(fig, "cut").opacity < 1 and named(fig, "kept").opacity == 1


def test_an_edge_adds_what_lies_between_a_node_and_its_parent(plots, weighed) -> None:
    table = plots.figure_table(plots.beam_tree(*weighed, path=(1, 0)))
    nodes = list(zip(table["step"], table["candidate"], strict=True))
    added = dict(zip(nodes, table["nats of the token"], strict=True))
    assert added == pytest.approx(
        {(1, 1): -0.5, (1, 2): -1, (1, 3): -3, (2, 1): -0.25, (2, 2): -0.5, (2, 3): -2, (2, 4): -3}
    )
    parents = dict(zip(nodes, table["goes on from candidate"], strict=True))
    assert [parents[2, rank] for rank in (1, 2, 3, 4)] == [1, 2, 1, 2]
    on_path = [
        node for node, is_on in zip(nodes, table["on the winner's path"], strict=True) if is_on
    ]
    assert sorted(on_path) == [(1, 1), (2, 1)]


def test_the_path_is_drawn_strong(plots, weighed) -> None:
    lines = [t for t in plots.beam_tree(*weighed, path=(1, 0)).data if t.mode == "lines"]
    strong = max(lines, key=lambda line: line.line.width)
    assert list(strong.x) == [1, 1, 1, 1, None] * 2, "the best candidate of either step"
    assert [strong.y[i] for i in (0, 3, 5, 8)] == [0, 1, 1, 2], "from the start to the end"
    assert "the strong path is '<b> </s>' with −0.75 nats" in plots.figure_alt(
        plots.beam_tree(*weighed, path=(1, 0))
    )


def test_edges_of_two_parents_run_across_at_two_heights(plots, weighed) -> None:
    lines = [trace for trace in plots.beam_tree(*weighed).data if trace.mode == "lines"]
    turns = {}  # by the step and the rank of the parent
    for line in lines:
        for at in range(0, len(line.x), 5):
            assert line.y[at] < line.y[at + 1] == line.y[at + 2] < line.y[at + 3]
            turns.setdefault((line.y[at], line.x[at]), set()).add(line.y[at + 1])
    assert all(len(heights) == 1 for heights in turns.values())
    assert turns[1, 1] != turns[1, 2]


@pytest.mark.parametrize(("width", "beside"), [(800, " b<br> −1.00"), (240, " b"), (120, "")])
def test_words_stand_beside_a_node_where_there_is_room(plots, weighed, width, beside) -> None:
    fig = plots.beam_tree(*weighed, width=width)
    assert named(fig, "kept").text[1] == beside


def test_a_tree_before_its_first_step_is_no_error(plots, weighed) -> None:
    fig = plots.beam_tree([], [])
    assert plots.figure_alt(fig).startswith("The tree of a beam search after 0 steps")


def test_rows_that_do_not_fit_are_refused(plots, weighed) -> None:
    with pytest.raises(ValueError, match="step has 2 entries but there are 1"):
        plots.beam_tree(weighed[0], weighed[1][:1])
    with pytest.raises(ValueError, match="row has 2 entries but there are 1 rows"):
        plots.probability_rows(torch.rand(2, 3), ["a", "b", "c"], ["one"])


def test_probabilities_are_written_into_their_cells(plots, weighed) -> None:
    probs = torch.tensor([[1.0, 0.5], [0.25, 0.875]])
    fig = plots.probability_rows(probs, ["a", "a"], ["all", "none"])
    np.testing.assert_array_equal(fig.data[0].z, probs.numpy())
    written = [note.text for note in fig.layout.annotations]
    assert written[:4] == ["1.00", "0.50", "0.25", "0.88"]
    assert "the smallest, 0.250, is that of token 0 'a', none." in plots.figure_alt(fig)
