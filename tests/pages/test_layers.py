"""The page of layers by hand: live gradients, and a mistake that the check finds."""

import numpy as np
import pytest

from tests.pages.screen import maps, open_code, said

PAGE = "pages/numpy_up/layers.py"
LAYERS = ("Dense", "ReLU", "Sigmoid", "Softmax", "LogSoftmax", "Dropout", "Embedding", "AxisMean")


@pytest.mark.parametrize("layer", [*LAYERS, "AxisDot"])
def test_every_layer_is_right_until_it_is_written_wrong(visit, layer) -> None:
    at = visit(PAGE, hand=layer)
    assert not at.exception and not at.error
    assert "are right" in at.success[0].value and not at.warning
    at = visit(PAGE, hand=layer, mistaken="true")
    assert not at.exception
    assert "is wrong" in at.warning[0].value and not at.success


def test_the_numbers_are_those_of_the_layer(visit) -> None:
    from tfs.numpy_engine.by_hand import Dense, gradient_check, gradients_by_autodiff

    at = visit(PAGE, hand="Dense", **{"hand seed": "3"})
    x = np.random.default_rng(3).normal(size=(3, 4)).round(1)
    assert (x != 0).all()
    layer = Dense(4, 3, 3)
    assert np.allclose(maps(at, "forward output")[""], layer.forward(x), atol=1e-6)
    shown = maps(at, "check W")
    part = gradient_check(layer, x).parts["W"]
    assert np.allclose(shown["written"], part.written, atol=1e-6)
    assert np.allclose(shown["measured"], part.measured, atol=1e-6)
    found = gradients_by_autodiff(layer, x)["W"]
    assert np.allclose(shown["by autodiff"], found, atol=1e-6)
    assert "def backward" in "".join(
        code.value for code in at.code
    ) and "return x @ W + b" in "".join(code.value for code in at.code)


def test_an_input_at_the_bend_of_relu_is_explained(visit, monkeypatch) -> None:
    from pages._ui import hand_layers

    monkeypatch.setattr(hand_layers, "drawn_input", lambda seed: np.zeros((3, 4)))
    at = visit(PAGE, hand="ReLU")
    assert "ReLU has a bend" in at.info[0].value and not at.warning and not at.success


HUGE = np.array([[-99_999_999, 0.3, -1, 2], [1, 2, 3, 4], [0.5, -1, 1, 1]], dtype=float)


def test_where_measuring_is_too_coarse_no_gradient_is_called_wrong(visit, monkeypatch) -> None:
    from pages._ui import hand_layers

    monkeypatch.setattr(hand_layers, "drawn_input", lambda seed: HUGE)
    at = visit(PAGE, hand="Dense")
    assert "too coarse" in at.info[0].value and not at.warning and not at.exception
    at = visit(PAGE, hand="Dense", mistaken="true")
    assert "is wrong, of W and b" in at.warning[0].value


def test_a_wrong_gradient_that_nobody_meant_is_named_without_its_docstring(
    visit, monkeypatch
) -> None:
    from tfs.numpy_engine.by_hand import Dense

    right = Dense.backward
    monkeypatch.setattr(Dense, "backward", lambda self, g: 2 * right(self, g))
    at = visit(PAGE, hand="Dense")
    assert at.warning[0].value.startswith("A written gradient is wrong, of x: the largest")
    assert "weighted sum" not in at.warning[0].value


def test_numbers_that_overflow_are_one_sentence(visit, monkeypatch) -> None:
    from pages._ui import hand_layers

    monkeypatch.setattr(hand_layers, "drawn_input", lambda seed: np.full((3, 4), 1e308))
    at = visit(PAGE, hand="Dense")
    assert not at.exception and "1e+308 in size, more than 1e+100" in at.error[0].value


@pytest.mark.parametrize("layer", [*LAYERS, "AxisDot"])
def test_wrong_code_stands_beside_the_right_one_and_says_what_was_forgotten(visit, layer) -> None:
    import inspect

    from tfs.numpy_engine import by_hand

    kind = getattr(by_hand, layer)
    wrong = by_hand.MISTAKEN[kind]
    at = visit(PAGE, hand=layer, mistaken="true")
    shown = [code.value for code in at.code if "def backward" in code.value]
    for written, of in zip(shown[:2], (kind, wrong), strict=True):
        lines = [line.strip() for line in inspect.getsource(of.backward).splitlines()]
        assert [line.strip() for line in written.splitlines()] == lines
        assert "super()" not in written
    assert f"Wrong on purpose, as it is often written. {wrong.__doc__}" in said(at)
    assert wrong.__doc__ in at.warning[0].value


def test_g_is_said_and_shown_so_that_a_gradient_can_be_reckoned_by_hand(visit) -> None:
    at = visit(PAGE, hand="Dense")
    g = maps(at, "forward g")[""].numpy()
    x, W = maps(at, "forward x")[""].numpy(), maps(at, "forward W")[""].numpy()
    assert np.allclose(maps(at, "check W")["written"], x.T @ g, atol=1e-5)
    assert np.allclose(maps(at, "check b")["written"], g.sum(0), atol=1e-5)
    assert np.allclose(maps(at, "check x")["written"], g @ W.T, atol=1e-5)
    assert "g is the gradient of L with respect to the output" in said(at)
    assert "Its rate r is 0.5" in said(visit(PAGE, hand="Dropout"))


def test_an_empty_cell_and_an_unknown_id_are_one_sentence(visit, monkeypatch) -> None:
    from pages._ui import hand_layers

    monkeypatch.setattr(hand_layers, "D_VOCAB", 1)
    monkeypatch.setattr(hand_layers, "ARGUMENTS", {"Embedding": (1, 4)})
    at = visit(PAGE, hand="Embedding")
    assert "has no row: the table has 1" in at.error[0].value.replace("\\", "")
    monkeypatch.setattr(hand_layers, "drawn_input", lambda seed: np.full((3, 4), np.nan))
    at = visit(PAGE, hand="Dense")
    assert "A cell of the input is empty" in at.error[0].value and not at.exception


@pytest.mark.parametrize("mistaken", ["true", "false"])
def test_its_program_gives_what_is_drawn(visit, mistaken) -> None:
    at = open_code(visit(PAGE, hand="AxisDot", mistaken=mistaken))
    programs = [code.value for code in at.code if code.value.startswith("import numpy")]
    results = []
    for program in programs:
        namespace: dict = {}
        exec(program, namespace)
        results.append(namespace["result"])
    assert len(results) == 3
    for name, array in zip(("output", "g"), results[0], strict=True):
        assert np.allclose(maps(at, f"forward {name}")[""], array, atol=1e-6)
    drawn = np.stack(list(maps(at, "check x0").values()))
    assert np.allclose(drawn, np.stack(results[1]), atol=1e-6)


def test_the_derivation_is_set_as_equations(visit) -> None:
    at = visit(PAGE, hand="Dense")
    latex = [element.value for element in at.get("latex")] or [said(at)]
    assert r"\frac{\partial L}{\partial W_{io}}" in "".join(latex)
