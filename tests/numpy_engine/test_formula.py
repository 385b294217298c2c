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
        np.testing.assert_allclose(read.measured(leaves, name), ours, rtol=1e-6, atol=1e-7)


def test_every_piece_of_the_text_is_measured(formula) -> None:
    from tfs.numpy_engine import backward_steps

    leaves = {"w": 0.5, "x": 2.0, "b": -0.4}
    read = formula("(w * x + b).tanh()")
    worked = read.worked(leaves)
    *_, last = backward_steps(worked.loss)
    assert [text for _, text in worked.parts.values()] == [
        *("w", "x", "w * x", "b", "w * x + b", "(w * x + b).tanh()")
    ]
    for place, (tensor, _) in worked.parts.items():
        slope = read.measured(leaves, place)
        np.testing.assert_allclose(slope, last.gradients[tensor], atol=1e-8)


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
        ("a / 0", "not a finite number"),
        ("log(0 - a)", "not a finite number"),
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
