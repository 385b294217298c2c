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
    assert np.allclose(maps(at, "forward output")[""], results[0], atol=1e-6)
    drawn = np.stack(list(maps(at, "check x0").values()))
    assert np.allclose(drawn, np.stack(results[1]), atol=1e-6)


def test_the_derivation_is_set_as_equations(visit) -> None:
    at = visit(PAGE, hand="Dense")
    latex = [element.value for element in at.get("latex")] or [said(at)]
    assert r"\frac{\partial L}{\partial W_{io}}" in "".join(latex)
