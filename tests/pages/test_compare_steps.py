"""Side by side: two trainings on one slider, and what a link brings back."""

import pytest
import torch

from tests.pages.compare_page import MIRRORED, PAGE, TWICE, shown_step
from tests.pages.screen import as_tensor, drawn, maps, open_code, said


@pytest.mark.parametrize(
    ("model", "other", "step", "stands"),
    [
        ("induction", "mirror", "256", 32),  # 12.8% of 300 updates is 38.4
        ("induction", "mirror", "1024", 128),  # 153.6, between 128 and 192
        ("induction", "mirror", "0", 0),
        ("induction", "mirror", "2000", None),
        ("mirror", "mirror", "48", 48),
        ("mirror", "induction", "256", 1536),  # 85% of 2,000 is 1,706.7
    ],
)
def test_b_stands_at_the_same_share_of_its_training(visit, model, other, step, stands) -> None:
    at = visit(PAGE, model=model, other=other, snapshot=step)
    place = "at the end" if stands is None else f"after {stands:,} update"
    assert place in shown_step(at)


def test_the_slider_moves_both(visit, forward) -> None:
    at = visit(PAGE, model="mirror", other="mirror", prompt=MIRRORED, view="Output", snapshot="32")
    slider = at.select_slider(key="snapshot")
    for step in (128, 0, 300):
        at = slider.set_value(step).run()
        place = "at the end" if step == 300 else f"after {step} update"
        assert place in shown_step(at)
        probs = forward("mirror", step=step)[1][-1].softmax(-1)
        figure = drawn(at, "next of both")
        ids = [int(i) for i in figure["layout"]["yaxis"]["ticktext"]]
        for trace in figure["data"]:
            torch.testing.assert_close(as_tensor(trace["x"]), probs[ids], atol=1e-5, rtol=0)
        slider = at.select_slider(key="snapshot")


def test_a_step_of_its_own(visit, forward) -> None:
    at = visit(PAGE, view="One head", prompt=MIRRORED, **TWICE)
    at = at.select_slider(key="other step").set_value(192).run()
    a, b = (forward("mirror", step=step)[2]["pattern", 0][0] for step in (48, 192))
    for cells, expected in zip(maps(at, "one head of both").values(), (a, b, b - a), strict=True):
        torch.testing.assert_close(cells, expected, atol=1e-5, rtol=0)
    programs = [code.value for code in open_code(at).code if "import tfs" in code.value]
    assert programs and all(".at_step(48)" in p and ".at_step(192)" in p for p in programs)


def test_a_link_restores_b_view_and_step(visit) -> None:
    link = {"other step": "192", "view": "Norms", "layer": "0", "token": "3: '28'"}
    at = visit(PAGE, prompt=MIRRORED, **TWICE, **link)
    assert at.selectbox(key="other").value == "mirror"
    assert at.button_group(key="view").value == "Norms"
    assert at.select_slider(key="other step").value == 192 and not at.toggle(key="linked").value
    assert "after 48 updates" in said(at) and "after 192 updates" in shown_step(at)
    assert at.session_state["token"] == 3


def test_b_follows_a_until_the_reader_chooses_it(visit) -> None:
    at = visit(PAGE, model="mirror")
    assert at.selectbox(key="other").value == "mirror-no-positions"
    at = at.selectbox(key="model").set_value("mirror-no-positions").run()
    assert at.selectbox(key="other").value == "mirror"
    at = at.selectbox(key="other").set_value("induction").run()
    at = at.selectbox(key="model").set_value("mirror").run()
    assert at.selectbox(key="other").value == "induction" and not at.exception
