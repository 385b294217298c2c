"""The page of autograd: every number as computed anew, step by step; odd input in one sentence."""

import json
import re

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
    assert all(float(row["relative difference"]) < 1e-8 for row in rows(at))


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
    assert not at.exception and "a bend lies there, of relu of c" in at.info[0].value


def of_one(visit, formula, **leaves):
    at = visit(PAGE)
    at.text_input(key="formula of a neuron").set_value(formula).run()
    for name, number in leaves.items():
        at.text_input(key=f"{name} of a neuron").set_value(number)
    return at.run()


@pytest.mark.parametrize(
    ("formula", "leaves"),
    [
        ("x.exp()", {"x": "500"}),
        ("x.exp()", {"x": "30"}),
        ("x ** 2", {"x": "1e8"}),
        ("1 / x", {"x": "1e-7"}),
        ("x ** 0.5", {"x": "1e-6"}),
        ("x ** 0.5", {"x": "1e-12"}),
    ],
)
def test_a_difference_is_told_beside_the_size_of_the_gradient(visit, formula, leaves) -> None:
    at = of_one(visit, formula, **leaves)
    assert not at.exception and not at.error and not at.info
    said_of = float(at.success[0].value.split(" than ")[1].split()[0])
    assert said_of < 1e-6


def test_only_a_bend_is_called_one_and_coarse_measuring_is_called_coarse(visit) -> None:
    at = of_one(visit, "w * x + b", w="1e12", x="2", b="0")
    assert not at.exception and not at.success
    assert "too coarse" in at.info[0].value and "bend" not in at.info[0].value


@pytest.mark.parametrize(
    ("formula", "x", "says"),
    [
        ("(x * 1000).exp()", "1", "becomes larger than float64 can hold"),
        ("1 / x", "0", "is a division by 0"),
        ("x.log()", "-3", "takes the log of -3"),
    ],
)
def test_what_is_not_finite_is_told_with_its_cause(visit, formula, x, says) -> None:
    at = of_one(visit, formula, x=x)
    assert not at.exception
    (message,) = messages(at)
    assert says in message.replace("\\", "")


def test_an_endless_slope_is_told(visit) -> None:
    at = of_one(visit, "x ** 0.5", x="0")
    assert not at.exception and "its gradient is not finite" in at.info[0].value


def test_a_new_formula_opens_at_its_end_and_a_link_where_it_says(visit) -> None:
    at = visit(PAGE, walk="4")
    assert at.slider(key="walk").value == 4
    for example in ("attention", "softmax and its loss", "a layer"):
        at.button_group(key="example").set_value(example).run()
        assert at.slider(key="walk").value == at.slider(key="walk").max and at.success, example
        at.slider(key="walk").set_value(4).run()
        assert at.slider(key="walk").value == 4
    at.text_input(key="formula of a layer").set_value("x.sum()").run()
    assert at.slider(key="walk").value == at.slider(key="walk").max
    at = visit(PAGE, example="attention", walk="9")
    assert at.slider(key="walk").value == 9
    at.text_input(key="q of attention").set_value("[[2, 0], [1, 1]]").run()
    assert at.slider(key="walk").value == 9, "other numbers, the same formula"


def test_nothing_of_a_gradient_is_told_before_it_is_whole(visit) -> None:
    at = visit(PAGE, example="attention", walk="0")
    last = int(at.slider(key="walk").max)
    for step in (0, last // 2, last - 2):
        at.slider(key="walk").set_value(step).run()
        for row in rows(at):
            assert not row["measured"] or row["gradient so far"], step
        whole = {row["node"] for row in rows(at) if row["measured"]}
        charts = at.get("plotly_chart")
        shown = charts[0].proto.spec if charts else ""
        for name in ("q", "k", "v"):
            assert (f"{name}[0, 0]" in shown) == (name in whole), (step, name)


def test_nodes_are_so_narrow_that_a_phone_shows_their_text_in_full_size(visit) -> None:
    for example in ("attention", "a layer", "softmax and its loss"):
        labels = re.findall(r'label="([^"]*)"', dot(visit(PAGE, example=example)))
        lines = [line for label in labels for line in label.split("\\n")]
        assert max(map(len, lines)) <= 30, example
    assert "(q @ k.T / 2 ** 0.5)" in "".join(rows(visit(PAGE, example="attention"))[8]["node"])


def test_several_results_are_summed_and_that_is_said(visit) -> None:
    assert "They are summed" in said(visit(PAGE, example="attention"))
    assert "They are summed" not in said(visit(PAGE, example="a neuron"))
    at = visit(PAGE, example="attention", walk="1")
    assert "numbers to begin with" in said(at)


@pytest.mark.parametrize(
    ("box", "text", "says"),
    [
        ("formula of a neuron", "w +", "cannot be read"),
        ("formula of a neuron", "__import__('os')", "no name"),
        ("formula of a neuron", "$w$ `x`", "cannot be read"),
        ("w of a neuron", "two", "For w, 'two' is no number; give it a number"),
        ("w of a neuron", "NaN", "give it a number"),
        ("w of a neuron", "[[1, 2], [3]]", "rows of numbers of one length"),
        ("w of a neuron", '{"a": 1}', "must be a number"),
        ("w of a neuron", "[" * 150, "give it a number"),
        ("formula of a neuron", "w + " * 60, "The formula has 240 characters, more than the 200"),
        ("w of a neuron", "1" * 201, "The value of w has 201 characters, more than"),
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
