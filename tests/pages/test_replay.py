"""Replay: every page on the weights of a kept step, and the loss curve that says where it is."""

import json

import pytest
import torch

from tests.pages.screen import maps, open_code, said

STEP = 256
PAGES = [
    "pages/start/home.py",
    *(f"pages/read/{name}.py" for name in ("embeddings", "positions", "masks", "attention")),
    *("pages/read/block.py", "pages/read/output.py", "pages/inspect/lens.py"),
]


@pytest.fixture
def then():
    """The induction model as it was, opened here, on its own example."""
    import tfs
    from pages._ui.examples import EXAMPLES

    bundle = tfs.load("induction")
    ids = torch.tensor([bundle.tokenizer.encode(EXAMPLES["induction"])])
    return bundle.at_step(STEP), ids


def told(at) -> dict:
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith("-replay"))
    return json.loads(proto.json)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_names_the_step_and_its_program_opens_it(visit, page) -> None:
    at = visit(page, model="induction", snapshot=str(STEP))
    assert not at.exception
    assert f"after {STEP} updates of its training" in said(at)
    programs = [code.value for code in open_code(at).code if "import tfs" in code.value]
    assert programs or page == "pages/start/home.py"
    assert all(f"bundle.at_step({STEP})" in program for program in programs)


def test_weights_on_the_attention_page_are_those_of_the_step(visit, then) -> None:
    model, ids = then
    at = visit("pages/read/attention.py", model="induction", snapshot=str(STEP), layer="1")
    _, cache = model.run_with_cache(ids)
    (weights,) = (cells for title, cells in maps(at, "large").items() if "weight" in title)
    torch.testing.assert_close(weights, cache["pattern", 1][0, 0], atol=1e-5, rtol=0)


def test_the_slider_offers_what_was_kept_and_the_curve_what_was_logged(visit) -> None:
    import tfs
    from tfs.train.run import read_metrics

    bundle = tfs.load("induction")
    at = visit("pages/read/attention.py", model="induction", snapshot=str(STEP))
    assert [int(step) for step in at.select_slider(key="snapshot").options] == bundle.snapshots
    data, metrics = told(at), read_metrics(bundle.directory)
    assert data["place"] == bundle.snapshots.index(STEP)
    assert data["losses"][data["place"]] == metrics[STEP]["loss"]  # of the update that followed
    assert data["losses"][-1] == metrics[-1]["held_out"]["loss"]
    first = data["curve"][0]
    assert first == [0, metrics[0]["loss"]] and len(data["curve"]) > 100


def test_a_drag_on_the_curve_moves_the_slider(visit, then) -> None:
    at = visit("pages/read/attention.py", model="induction")
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith("-replay"))
    place = told(at)["steps"].index(str(STEP))
    states = at._tree.get_widget_states()
    states.widgets.add(id=proto.id, json_value=json.dumps({"at": {"place": place, "press": 1}}))
    at = at._run(states)
    assert at.select_slider(key="snapshot").value == STEP
    assert f"after {STEP} updates" in said(at)


def test_another_model_stands_at_its_end(visit) -> None:
    at = visit("pages/read/attention.py", model="induction", snapshot=str(STEP))
    at = at.selectbox(key="model").set_value("mirror").run()
    assert not at.exception and "updates of its training" not in said(at)
    slider = at.select_slider(key="snapshot")
    assert str(slider.value) == slider.options[-1]


@pytest.mark.parametrize("asked", ["7", "many", "-1", "99999999999999999999"])
def test_a_step_that_was_not_kept_is_the_end(visit, asked) -> None:
    at = visit("pages/read/attention.py", model="induction", snapshot=asked)
    assert not at.exception and "updates of its training" not in said(at)


def test_a_training_that_goes_on_has_its_newest_weights_last(visit, tmp_path) -> None:
    import shutil

    import tfs

    run = tmp_path / "run-0123456789abcdef"
    bundle = tfs.load("induction")
    shutil.copytree(bundle.directory, run)
    weights = {name: value * 1.01 for name, value in bundle.model.state_dict().items()}
    bundle.model.load_state_dict(weights)
    tfs.save(bundle, run)
    at = visit("pages/read/attention.py", model=run.name)
    assert at.select_slider(key="snapshot").options[-1] == "now"
    _, cache = bundle.model.run_with_cache(
        torch.tensor([bundle.tokenizer.encode(at.text_area[0].value)])
    )
    (shown,) = (cells for title, cells in maps(at, "large").items() if "weight" in title)
    torch.testing.assert_close(shown, cache["pattern", 0][0, 0], atol=1e-5, rtol=0)


def test_a_model_without_a_past_has_no_slider(visit, tmp_path) -> None:
    import tfs

    bundle = tfs.load("mirror")
    tfs.save(bundle, tmp_path / "run-0123456789abcdef")
    at = visit("pages/read/attention.py", model="run-0123456789abcdef")
    assert not at.exception and not at.select_slider
