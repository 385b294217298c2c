"""The page of digits: held-out images and drawn ones, read by the network trained here."""

import numpy as np

from tests.pages.screen import as_tensor, drawn, maps, said

PAGE = "pages/numpy_up/digits.py"


def test_a_held_out_digit_is_read_with_the_networks_own_numbers(visit) -> None:
    from pages._ui.digit_views import trained
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
