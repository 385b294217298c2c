"""A training in the background: what a job does, keeps and says."""

import pytest
import torch

from tests.train.waiting import wait_until


def test_a_job_trains_to_its_end_and_opens_as_a_checkpoint(tfs, make_job) -> None:
    job = make_job().start()
    job.thread.join(30)
    assert job.status() == ("finished", 30, 0, "")
    assert [step.step for step in job.steps()] == list(range(1, 31))
    assert [step.step for step in job.steps(since=28)] == [29, 30]
    opened = tfs.load(job.directory)
    tokens = torch.tensor([[1, 2, 2, 1]])
    assert torch.equal(opened.model(tokens), job.bundle.model(tokens))
    assert opened.snapshots[0] == 0 and opened.snapshots[-1] == 30


def test_a_named_job_ends_with_a_card_of_what_it_measured(tfs, make_job) -> None:
    from tfs.train.metrics import evaluate

    job = make_job()
    job.name, job.about = "a tiny run", "One layer."
    job.start().thread.join(30)
    assert job.status() == ("finished", 30, 0, "")
    card = tfs.load(job.directory).card
    assert card.startswith("# a tiny run\n\nOne layer.") and "30 updates" in card
    assert "Command" not in card
    loss = float(card.split("**Held-out loss**: ")[1].split()[0])
    fresh = evaluate(job.bundle.model, job.task.sample(4096, seed=1, split="held_out"))
    assert loss == pytest.approx(fresh.loss, abs=0.05)


def test_a_job_equals_the_loop_in_the_foreground(tfs, make_job) -> None:
    job = make_job().start()
    job.thread.join(30)
    alone = make_job()
    reports = list(tfs.train(alone.bundle.model, alone.task, alone.config))
    assert [r.loss for r in reports] == [r.loss for r in job.steps()]


def test_stop_ends_after_the_update_at_hand_and_keeps_the_model(tfs, make_job) -> None:
    job = make_job(steps=100_000).start()
    wait_until(lambda: job.status().step >= 5)
    job.stop()
    job.thread.join(20)
    state, step, *_ = job.status()
    assert state == "stopped" and 5 <= step < 100_000
    saved = dict(tfs.load(job.directory).model.named_parameters())
    assert all(torch.equal(saved[name], p) for name, p in job.bundle.model.named_parameters())


def test_another_learning_rate_from_the_next_update_on(make_job) -> None:
    from tfs.train import lr_at

    job = make_job(steps=100_000).start()
    wait_until(lambda: job.status().step >= 40)
    job.set_lr(2e-3)
    wait_until(lambda: job.steps()[-1].lr < 2.1e-3)
    job.stop()
    job.thread.join(20)
    changed = [step.step for step in job.steps() if step.lr != lr_at(step.step, job.config)]
    assert changed == list(range(changed[0], job.status().step + 1)) and changed[0] > 40
    assert (job.directory / "lr.json").is_file()
    with pytest.raises(ValueError, match="this training is over; resume it to train with another"):
        job.set_lr(1e-3)


def test_a_stopped_job_goes_on_from_where_it_stood(make_job) -> None:
    whole, first, second = make_job(steps=60), make_job(steps=60), make_job(steps=60)
    whole.start().thread.join(30)
    first.start()
    wait_until(lambda: first.status().step >= 5)
    first.stop()
    first.thread.join(20)
    second.directory, second.from_last = first.directory, True
    second.__post_init__()
    assert second.status().step == first.status().step
    second.start().thread.join(30)
    assert second.status().state == "finished"
    assert [r.loss for r in second.steps()] == [r.loss for r in whole.steps()]


def test_two_jobs_do_not_share_a_directory(make_job) -> None:
    first, second = make_job(steps=100_000), make_job()
    second.directory = first.directory
    first.start()
    with pytest.raises(ValueError, match="another training is at work in"):
        second.start()
    first.stop()


def test_what_a_job_does_stands_on_disk(make_job) -> None:
    from tfs.train.alive import somebody_is_at_work
    from tfs.train.files import read_json

    job = make_job(steps=100_000).start()
    wait_until(lambda: job.status().step >= 3)
    assert somebody_is_at_work(job.directory)
    job.pause()
    wait_until(lambda: job.status().state == "paused")
    wait_until(lambda: read_json(job.directory / "status.json")["state"] == "paused")
    kept = read_json(job.directory / "status.json")
    assert kept["step"] == job.status().step and 0 < kept["seconds"] <= 20
    assert read_json(job.directory / "last" / "state.json")["step"] == kept["step"]
    job.stop()
    job.thread.join(20)
    assert read_json(job.directory / "status.json")["state"] == "stopped"
    assert not somebody_is_at_work(job.directory)


def test_a_diverged_job_fails_with_its_sentence(tfs, make_job) -> None:
    from dataclasses import replace

    job = make_job()
    job.config = replace(job.config, lr=1e38, warmup_steps=0)
    job.start().thread.join(20)
    state, step, _, error = job.status()
    assert state == "failed" and error.startswith(f"the training diverged at step {step + 1}")
    assert "branch from snapshot 0" in error
    assert tfs.Bundle(job.bundle.model, job.bundle.tokenizer, "", job.directory).at_step(0)
