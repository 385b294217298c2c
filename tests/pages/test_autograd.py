"""The page of autograd: every number as computed anew, step by step; odd input in one sentence."""

import json

import numpy as np
import pytest

from tests.pages.screen import messages, said

PAGE = "pages/numpy_up/autograd.py"
NEURON = {"w": 0.5, "x": 2, "b": -0.4}


def rows(at):
    return at.dataframe[0].value.to_dict("records")


def dot(at):
    return at.get("graphviz_chart")[0].proto.spec


def test_at_the_end_every_gradient_is_measured_and_right(visit) -> None:
    at = visit(PAGE)
    assert not at.exception and "Backward is right" in at.success[0].value
    slope = 1 - np.tanh(0.5 * 2 - 0.4) ** 2
    found = {row["node"]: row["gradient so far"] for row in rows(at)}
    expected = {"w": 2 * slope, "x": 0.5 * slope, "b": slope, "(w * x + b).tanh()": 1.0}
    for name, gradient in expected.items():
        assert float(found[name]) == pytest.approx(gradient, rel=1e-3), name
    assert all(float(row["largest difference"]) < 1e-8 for row in rows(at))


def test_the_walk_goes_forward_then_back_a_node_at_a_time(visit) -> None:
    at = visit(PAGE, walk="0")
    assert "nothing worked out yet" in said(at)
    assert "value" not in dot(at) and "gradient" not in dot(at)
    nodes = len(rows(at))
    for step in range(1, nodes + 1):
        at.slider(key="walk").set_value(step).run()
        assert dot(at).count("value") == step and "gradient" not in dot(at)
        assert sum(bool(row["value"]) for row in rows(at)) == step
    at.slider(key="walk").set_value(nodes + 1).run()
    assert dot(at).count("gradient") == 2, "the result's, and what tanh passes on"
    assert "passes on" in said(at) and not at.success


def test_a_name_that_is_used_twice_collects_what_comes_from_both(visit) -> None:
    at = visit(PAGE, example="used twice")
    found = {row["node"]: row["gradient so far"] for row in rows(at)}
    assert float(found["a"]) == 2 * 3 - 2 and float(found["b"]) == 3
    told = []
    for step in range(int(at.slider(key="walk").max) + 1):
        at.slider(key="walk").set_value(step).run()
        told.append(said(at))
    assert any("which had" in text and "and now has" in text for text in told)


@pytest.mark.parametrize(
    "example", ["a neuron", "used twice", "softmax and its loss", "a layer", "attention"]
)
def test_every_example_walks_to_its_end(visit, example) -> None:
    at = visit(PAGE, example=example)
    assert not at.exception and at.success and not at.error


def test_a_formula_of_ones_own(visit) -> None:
    at = visit(PAGE)
    at.text_input(key="formula of a neuron").set_value("c ** 3 / 2").run()
    at.text_input(key="c of a neuron").set_value("2").run()
    found = {row["node"]: row["gradient so far"] for row in rows(at)}
    assert float(found["c"]) == pytest.approx(6)


def test_a_bend_is_explained(visit) -> None:
    at = visit(PAGE)
    at.text_input(key="formula of a neuron").set_value("c.relu()").run()
    at.text_input(key="c of a neuron").set_value("0").run()
    assert not at.exception and "has a bend" in at.info[0].value


@pytest.mark.parametrize(
    ("box", "text", "says"),
    [
        ("formula of a neuron", "w +", "cannot be read"),
        ("formula of a neuron", "__import__('os')", "no name"),
        ("formula of a neuron", "$w$ `x`", "cannot be read"),
        ("w of a neuron", "two", "give it a number"),
        ("w of a neuron", "NaN", "give it a number"),
        ("w of a neuron", "[[1, 2], [3]]", "rows of numbers of one length"),
        ("w of a neuron", '{"a": 1}', "must be a number"),
        ("w of a neuron", "[" * 150, "give it a number"),
    ],
)
def test_odd_input_is_one_sentence(visit, box, text, says) -> None:
    at = visit(PAGE)
    at.text_input(key=box).set_value(text).run()
    assert not at.exception
    (message,) = messages(at)
    assert says in message.replace("\\", "")


def test_its_program_gives_the_bars(visit) -> None:
    from tests.pages.screen import open_code

    at = open_code(visit(PAGE, example="a layer"))
    (program,) = [code.value for code in at.code if code.value.startswith("import numpy")]
    namespace: dict = {}
    exec(program, namespace)
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    from tfs.plots.twin import numbers

    drawn = np.concatenate([numbers(trace["x"]).astype(float) for trace in spec["data"]])
    assert np.allclose(drawn, np.concatenate([part.ravel() for part in namespace["result"]]))
