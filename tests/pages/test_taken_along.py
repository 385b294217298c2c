"""Whatever is drawn can be taken along: the numbers of strips and of the mosaic too."""

import json

import numpy as np
import pytest

from tests.pages.screen import as_tensor, drawn, open_code
from tests.pages.test_programs import BEGINS, run_alone

WITH_STRIPS = {
    "pages/read/tokens.py": 1,
    "pages/read/embeddings.py": 1,
    "pages/read/attention.py": 2,
    "pages/read/block.py": 2,
    "pages/read/output.py": 7,
}
OWN_BOX = [
    ("pages/read/tokens.py", "same token", "strip"),
    ("pages/read/block.py", "strip", "strip"),
    ("pages/read/block.py", "where active", "where active"),
    ("pages/read/output.py", "strip", "strip"),
]


def strips(at) -> dict[str, tuple[np.ndarray, float]]:
    """The numbers of each token strip and mosaic, with the fineness that they travel with."""
    found = {}
    for element in at.get("bidi_component"):
        packed = element.proto.bytes
        end = 4 + int.from_bytes(packed[:4], "little")
        head = json.loads(packed[4:end]) if packed else {}
        name = element.proto.id.split("-", 2)[2]
        if "weighted" in head:
            found[name] = np.frombuffer(packed[end:], dtype="<f4"), 1e-5
        elif "row_scale" in head:
            found[name] = np.frombuffer(packed[end:], dtype=np.uint8) / 255, 0.5 / 255 + 1e-6
    return found


def holds(result: list[float], numbers: np.ndarray, step: float) -> bool:
    """Whether these numbers stand in the result, one behind the other."""
    if len(result) < len(numbers):
        return False
    runs = np.lib.stride_tricks.sliding_window_view(np.asarray(result), len(numbers))
    return any(np.allclose(run, numbers, atol=step) for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mirror", "shakespeare"])
@pytest.mark.parametrize("page", WITH_STRIPS)
def test_a_program_on_the_page_gives_the_numbers_of_every_strip(
    visit, page, model, tmp_path
) -> None:
    at = open_code(visit(page, model=model, prompt="41 7 93 41 7", new="2"))
    assert not at.exception
    shown = strips(at)
    assert len(shown) == WITH_STRIPS[page]
    programs = [code.value for code in at.code if code.value.startswith(BEGINS)]
    results = run_alone(programs, tmp_path)
    assert not [result for result in results if isinstance(result, str)]
    for name, (numbers, step) in shown.items():
        assert any(holds(result, numbers, step) for result in results), name


@pytest.mark.parametrize("page", WITH_STRIPS)
def test_a_box_with_a_program_has_its_numbers_as_a_table_and_a_file(visit, page) -> None:
    at = open_code(visit(page, model="shakespeare", new="2"))
    boxes = [box for box in at.expander if any(c.value.startswith(BEGINS) for c in box.code)]
    assert boxes
    for box in boxes:
        files = [button.proto.label for button in box.get("download_button")]
        assert files == ["Numbers (CSV)", "Page of its own (HTML)"], box.proto.id
        assert [t.label for t in box.toggle if t.label == "Show its numbers as a table"]


@pytest.mark.parametrize("model", ["mirror", "shakespeare"])
@pytest.mark.parametrize(("page", "box", "strip"), OWN_BOX)
def test_the_figure_of_a_strip_has_its_numbers(visit, page, box, strip, model) -> None:
    at = open_code(visit(page, model=model))
    numbers, _ = strips(at)[strip]
    at.toggle(key=f"{box} shown").set_value(True).run()
    assert not at.exception
    trace = drawn(at, box)["data"][0]
    found = as_tensor(trace["z" if trace["type"] == "heatmap" else "y"]).flatten()
    np.testing.assert_allclose(found, numbers, atol=1e-6)


def test_each_lane_of_the_race_has_its_figure(visit) -> None:
    at = open_code(visit("pages/read/output.py", model="shakespeare"))
    at.toggle(key="lanes shown").set_value(True).run()
    lanes = {n.removeprefix("lane "): v for n, (v, _) in strips(at).items() if "lane " in n}
    assert len(lanes) == 5
    for name, numbers in lanes.items():
        at.button_group(key="lanes which").set_value(name).run()
        assert not at.exception
        np.testing.assert_allclose(as_tensor(drawn(at, "lanes")["data"][0]["y"]), numbers)
