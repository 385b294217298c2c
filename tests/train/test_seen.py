"""What is known by heart: an evaluation on training examples, where a task has only so many."""

import json

import pytest


@pytest.fixture
def modular():
    """(model, task) of a small modular addition."""
    import tfs
    from tfs.tasks import ModularAdditionTask

    task = ModularAdditionTask(p=7)
    sizes = {"n_layers": 1, "d_model": 16, "n_ctx": 4, "d_head": 8, "d_vocab": 8, "seed": 0}
    return tfs.DecoderOnly(tfs.TransformerConfig(**sizes)), task


def test_a_task_that_repeats_its_examples_is_graded_on_them_too(modular, train_config, tmp_path):
    import tfs
    from tfs.train.loop import seen_examples

    model, task = modular
    config = train_config(steps=5, eval_every=2, eval_size=40)
    reports = list(tfs.train(model, task, config, tmp_path))
    assert [report.step for report in reports if report.seen] == [2, 4, 5]
    batch = seen_examples(task, config)
    assert reports[-1].seen == tfs.evaluate(model, batch)
    pairs = {tuple(pair) for pair in task.pairs["train"].tolist()}
    assert {tuple(pair) for pair in batch.tokens[:, :2].tolist()} <= pairs
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [("seen" in line) for line in lines] == [False, True, False, True, True]
    assert lines[-1]["seen"]["accuracy"] == reports[-1].seen.accuracy
    assert lines[-1]["seen"] != lines[-1]["held_out"]


def test_other_tasks_are_not(mirror_setup, train_config, tmp_path):
    import tfs

    reports = list(tfs.train(*mirror_setup(), train_config(steps=4), tmp_path))
    assert reports[-1].held_out and not any(report.seen for report in reports)
    assert "seen" not in (tmp_path / "metrics.jsonl").read_text()
