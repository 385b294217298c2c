"""A run of another architecture is watched in the lab, and no other page claims to read it."""

import secrets
import shutil

import pytest

from tests.pages.screen import drawn, messages


@pytest.fixture
def of_another_kind(tmp_path):
    """of_another_kind(name) -> the name of a run like a terminal's, with a bundled model."""
    from tfs.train.checkpoint import BUNDLED

    def copy(name):
        run = f"run-{secrets.token_hex(8)}"
        shutil.copytree(BUNDLED / name, tmp_path / run)
        return run

    return copy


@pytest.mark.parametrize("name", ["dates", "masked-words", "tags"])
def test_its_numbers_and_its_loss_are_shown(visit, of_another_kind, name) -> None:
    from tfs.train.checkpoint import BUNDLED
    from tfs.train.recipe import read_recipe
    from tfs.train.references import reference_losses
    from tfs.train.run import read_metrics

    at = visit("pages/train/live.py", run=of_another_kind(name))
    assert not at.exception and not at.error
    directory = BUNDLED / name
    lines = read_metrics(directory)
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Held-out loss"] == f"{lines[-1]['held_out']['loss']:.3f}"
    uniform = reference_losses(read_recipe(directory).make_task())["uniform"]
    assert f"{uniform:.3f}" in str(drawn(at, "loss")["layout"])
    buttons = {b.label: b.disabled for b in at.button}
    assert (
        buttons["Open in Two texts"] is False if name == "dates" else buttons["Open its attention"]
    )


@pytest.mark.parametrize("page", ["pages/read/attention.py", "pages/inspect/lens.py"])
def test_a_page_that_reads_one_text_says_that_it_cannot_read_it(visit, of_another_kind, page):
    at = visit(page, model=of_another_kind("dates"))
    assert not at.exception
    assert any("encoder-decoder" in message.replace("\\", "") for message in messages(at))
