"""The page of digits: held-out images and drawn ones, read by the network trained here."""

import numpy as np
import pytest

from tests.pages.screen import as_tensor, drawn, maps, said

PAGE = "pages/numpy_up/digits.py"


def test_a_held_out_digit_is_read_with_the_networks_own_numbers(visit) -> None:
    from pages._ui.digit_training import trained
    from tfs.numpy_engine.by_hand.digits import accuracy, confusions, what_would_help

    at = visit(PAGE, digit="7", wanted="3")
    assert not at.exception and not at.error
    known = trained(0)
    pixels = known.split.held_out.pixels[7]
    shown = as_tensor(drawn(at, "said")["data"][0]["x"])
    assert np.allclose(shown, np.exp(known.model.forward(pixels[None])[0]), atol=1e-6)
    helps = maps(at, "helps")
    assert np.allclose(helps["image"].ravel(), pixels, atol=1e-6)
    assert np.allclose(
        helps["gradient"].ravel(), what_would_help(known.model, pixels, 3), atol=1e-5
    )
    assert f"**{accuracy(known.model, known.split.held_out):.1%}**" in said(at)
    counts = confusions(known.model, known.split.held_out)
    assert (np.asarray(maps(at, "confused")[""]) == counts).all()


@pytest.mark.parametrize("digit", [0, 7])
def test_what_would_help_is_asked_at_first_of_the_second_likeliest(visit, digit) -> None:
    from pages._ui.digit_training import trained
    from tfs.numpy_engine.by_hand.digits import what_would_help

    at = visit(PAGE)
    at.number_input(key="digit").set_value(digit).run()
    known = trained(0)
    pixels = known.split.held_out.pixels[digit]
    second, first = known.model.forward(pixels[None])[0].argsort()[-2:].tolist()
    assert f"the second likeliest is {second}." in said(at)
    slopes = what_would_help(known.model, pixels, second)
    assert np.allclose(maps(at, "helps")["gradient"].ravel(), slopes, atol=1e-5)
    assert np.abs(slopes).max() > 100 * np.abs(what_would_help(known.model, pixels, first)).max()


def test_a_drawn_digit_is_read_and_nonsense_from_the_browser_is_blank(visit) -> None:
    at = visit(PAGE, image="Draw one")
    assert "no ink yet" in at.info[0].value and drawn(at, "said") is None
    ink = np.zeros((8, 8))
    ink[1:7, 3:5] = 1
    for wrong in ([2.0] * 64, [0.5] * 3, ["x"] * 64):
        at.session_state["canvas 0"] = {"ink": wrong}
        at.run()
        assert not at.exception and at.info
    at.session_state["canvas 0"] = {"ink": ink.ravel().tolist()}
    at.run()
    assert not at.exception and not at.info
    assert np.allclose(maps(at, "helps")["image"], ink)
    assert "It reads **1**" in said(at)


def test_trained_here_it_pauses_waits_and_ends_as_everybodys(visit) -> None:
    from pages._ui.digit_training import trained

    at = visit(PAGE)
    before = drawn(at, "losses")["data"]
    at.button(key="digits Train it here, from the start").click().run()
    at.run()
    first = at.get("progress")[0].proto.text
    assert "of 920, loss" in first and not at.exception
    losses, right = (as_tensor(curve["y"]) for curve in drawn(at, "losses")["data"])
    known = trained(0)
    assert 1 < len(losses) < 920 and np.allclose(losses, known.losses[: len(losses)], atol=1e-6)
    assert [(len(right) > 0, float(x)) for x in right] == [
        (True, pytest.approx(share)) for _, share in known.right[: len(right)]
    ]
    at.button(key="digits Pause").click().run()
    paused = at.get("progress")[0].proto.text
    assert at.run().get("progress")[0].proto.text == paused and paused.startswith("paused at")
    at.switch_page("pages/start/home.py").run()
    at.switch_page(PAGE).run()
    assert at.get("progress")[0].proto.text == paused
    at.button(key="digits Go on").click().run()
    for _ in range(100):
        if "step 920 of 920" in at.get("progress")[0].proto.text:
            break
        at.run()
    assert not at.exception and "Pause" not in [each.label for each in at.button]
    for now, then in zip(drawn(at, "losses")["data"], before, strict=True):
        assert now["y"] == then["y"]
    shown = np.stack([cells.numpy() for cells in maps(at, "weights").values()])
    weights = known.model.layers[0].weights["W"][:, : len(shown)].T
    assert np.allclose(shown.reshape(len(shown), -1), weights, atol=1e-6)
