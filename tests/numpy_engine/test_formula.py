"""Formulas as text: worked out as Python would, their gradients as torch's, and nothing is run."""

import numpy as np
import pytest
import torch

GIVEN = [
    ("(w * x + b).tanh()", {"w": 0.5, "x": 2.0, "b": -0.4}),
    ("a * a + a * b", {"a": 3.0, "b": -2.0}),
    ("-z.log_softmax(dim=-1)[0]", {"z": [2.0, 1.0, -1.0]}),
    (
        "((x @ W + b).relu() ** 2).mean()",
        {"x": [[1.0, -2.0]], "W": [[1, 2.0], [0.3, -1]], "b": 0.1},
    ),
    ("(q @ k.T / 2 ** 0.5).softmax(-1)", {"q": [[1.0, 0], [0.5, 1]], "k": [[1.0, 0], [1, 1]]}),
    ("x[1:, 0].exp() - 1 / y", {"x": [[1.0], [2.0], [0.5]], "y": 4.0}),
]


@pytest.fixture(scope="module")
def formula():
    from tfs.numpy_engine.formula import Formula

    return Formula


@pytest.mark.parametrize(("text", "leaves"), GIVEN)
def test_value_gradients_and_measured_slopes_are_torchs(formula, text, leaves) -> None:
    from tfs.numpy_engine.measured import measured

    read = formula(text)
    assert read.names == list(leaves)
    worked = read.worked(leaves)
    worked.loss.backward()
    theirs = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in leaves.items()
    }
    loss = eval(text, {}, theirs).sum()
    loss.backward()
    assert worked.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    for name, tensor in theirs.items():
        ours = worked.parts[name][0].grad.data
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-9, atol=1e-12)
        slopes = measured(read, leaves, name)
        np.testing.assert_allclose(slopes.slopes, ours, rtol=1e-6, atol=1e-7)
        assert slopes.agrees(ours) and not slopes.agrees(ours + 1e-3)


def test_every_piece_of_the_text_is_measured(formula) -> None:
    from tfs.numpy_engine import backward_steps
    from tfs.numpy_engine.measured import measured

    leaves = {"w": 0.5, "x": 2.0, "b": -0.4}
    read = formula("(w * x + b).tanh()")
    worked = read.worked(leaves)
    *_, last = backward_steps(worked.loss)
    assert [text for _, text in worked.parts.values()] == [
        *("w", "x", "w * x", "b", "w * x + b", "(w * x + b).tanh()")
    ]
    for place, (tensor, _) in worked.parts.items():
        slope = measured(read, leaves, place)
        np.testing.assert_allclose(slope.slopes, last.gradients[tensor], atol=1e-8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a +", "cannot be read"),
        ("a" * 201, "201 characters"),
        ("+".join("a" * 40), "79 parts"),
        ("1 + 2", "no name"),
        ("a.__class__", "not understood"),
        ("__import__('os').system('true') + a", "no function 'system'"),
        ("[a for a in (1,)]", "not understood"),
        ("(lambda: a)()", "not understood"),
        ("a.nothing()", "no function 'nothing'"),
        ("a.backward()", "no function 'backward'"),
        ("a[b]", "written out as a number"),
        ("a[7]", "shape"),
        ("a ** b", "plain number"),
        ("a / 0", "'a / 0' is a division by 0"),
        ("(a - 2) ** -1", "a division by 0, in the form of a negative power"),
        ("log(0 - a) + 1", "takes the log of -2, which is not positive"),
        ("sqrt(b - 4)", "takes the sqrt of -1, which is not positive"),
        ("(b - 4) ** 0.5", "is a root of -1, which is negative"),
        ("(a * 1000).exp() / 2", "'(a * 1000).exp()' becomes larger than float64 can hold"),
        ("a @ b", "@"),
        ("a * 'text'", "is no number"),
        ("a * c", "asks for c"),
        ("a + 9.0 ** 999", "cannot be worked out"),
        ("a.sum(dim=5)", "dim 5"),
        ("w.T @ w", "81 numbers"),
    ],
)
def test_what_is_no_formula_is_refused_in_one_sentence(formula, text, says) -> None:
    with pytest.raises(ValueError) as refused:
        formula(text).worked({"a": 2.0, "b": 3.0, "w": [list(range(9))]})
    message = str(refused.value)
    assert says in message or says == "@"
    assert "\n" not in message


@pytest.mark.parametrize(
    "numbers", ["text", [[1, 2], [3]], [], list(range(65)), float("nan"), None]
)
def test_what_is_no_number_is_refused(formula, numbers) -> None:
    with pytest.raises(ValueError, match="a must be"):
        formula("a * 2").worked({"a": numbers})


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("x.exp()", {"x": 500.0}),
        ("x.exp()", {"x": 30.0}),
        ("w * x + b", {"w": 1e8, "x": 2.0, "b": -0.4}),
        ("x ** 2", {"x": 1e8}),
        ("1 / x", {"x": 1e-7}),
        ("x ** 0.5", {"x": 1e-6}),
        ("x ** 0.5", {"x": 1e-12}),
        ("x.log()", {"x": 1e-9}),
        ("x * 0.001", {"x": 0.0}),
        ("(x * y).tanh()", {"x": 1e-30, "y": 1e30}),
    ],
)
def test_numbers_of_every_size_are_measured_and_mistakes_still_found(formula, text, leaves) -> None:
    from tfs.numpy_engine.measured import measured

    read = formula(text)
    worked = read.worked(leaves)
    worked.loss.backward()
    for name in leaves:
        gradient, slopes = worked.parts[name][0].grad.data, measured(read, leaves, name)
        assert slopes.may_agree(gradient) and not slopes.bends, name
        assert not slopes.may_agree(gradient * 1.01), name
        assert slopes.apart(gradient) < 1e-3


def test_a_result_too_large_for_a_small_slope_is_known_to_be_coarse(formula) -> None:
    from tfs.numpy_engine.measured import measured

    slopes = measured(formula("w * x + b"), {"w": 1e15, "x": 2.0, "b": -0.4}, "b")
    assert slopes.unsure > 0.1 and slopes.may_agree(np.ones(()))


@pytest.mark.parametrize(
    ("text", "leaves", "bends"),
    [
        ("x.relu()", {"x": 0.0}, ("relu of x",)),
        ("(x - 1).abs() * 2", {"x": 1.0}, ("abs of x - 1",)),
        ("x.max()", {"x": [2.0, 2.0]}, ("max of x",)),
        ("x.relu()", {"x": 1e-9}, ()),
        ("x.max()", {"x": [2.0, 1.0]}, ()),
        ("x ** 3", {"x": 0.0}, ()),
    ],
)
def test_a_bend_is_named_only_where_there_is_one(formula, text, leaves, bends) -> None:
    from tfs.numpy_engine.measured import measured

    assert measured(formula(text), leaves, "x").bends == bends


def test_where_the_formula_has_no_value_there_is_no_slope(formula) -> None:
    from tfs.numpy_engine.measured import measured

    slopes = measured(formula("x ** 0.5"), {"x": 0.0}, "x")
    assert np.isnan(slopes.slopes) and np.isinf(slopes.unsure)
    assert not slopes.agrees(np.ones(()))
