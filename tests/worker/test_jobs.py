"""Trainings in the background: one queue, and buttons that do what they say."""

import threading
import time
from itertools import pairwise

import pytest
import torch


@pytest.fixture
def tfs():
    import tfs

    return tfs


@pytest.fixture
def make_job(tfs, tmp_path):
    from tfs.tasks import MirrorTask
    from tfs.tokenizers import IntegerTokenizer
    from tfs.train.worker import Job, Slots

    shared, made = Slots(1), []

    def make(steps=30, slots=shared, task=None):
        cfg = tfs.TransformerConfig(n_layers=1, d_model=8, n_ctx=4, d_head=4, d_vocab=10, seed=0)
        bundle = tfs.Bundle(tfs.DecoderOnly(cfg), IntegerTokenizer(10), "# card")
        config = tfs.TrainConfig(steps=steps, batch_size=2, eval_every=10, eval_size=4)
        job = Job(bundle, task or MirrorTask(10, 4), config, tmp_path / f"run{len(made)}", slots)
        made.append(job)
        return job

    yield make
    for job in made:
        job.stop()
        if job.thread.is_alive():
            job.thread.join(20)


def wait_until(holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


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


def test_pause_stands_still_and_lets_others_in(make_job) -> None:
    first, second = make_job(steps=100_000).start(), make_job()
    wait_until(lambda: first.status().step >= 3)
    second.start()
    wait_until(lambda: second.status().place == 1)
    first.pause()
    second.thread.join(30)
    assert second.status().state == "finished"
    step = first.status().step
    time.sleep(0.1)
    assert first.status()[:2] == ("paused", step)
    first.resume()
    wait_until(lambda: first.status().step > step)
    steps = [report.step for report in first.steps()]
    assert all(after == before + 1 for before, after in pairwise(steps))


def test_a_paused_job_can_be_stopped(make_job) -> None:
    job = make_job(steps=100_000).start()
    wait_until(lambda: job.status().step >= 1)
    job.pause()
    wait_until(lambda: job.status().state == "paused")
    job.stop()
    job.thread.join(20)
    assert job.status().state == "stopped"


def test_a_paused_job_can_be_stopped_while_others_hold_the_slot(make_job) -> None:
    paused = make_job(steps=100_000).start()
    wait_until(lambda: paused.status().step >= 1)
    paused.pause()
    other = make_job(steps=100_000).start()
    wait_until(lambda: other.status().step >= 1)
    paused.stop()
    paused.thread.join(20)
    assert paused.status().state == "stopped"
    assert other.status().state == "running"


def test_a_queued_job_can_be_paused_and_waits_again_at_the_end_of_the_queue(make_job) -> None:
    running = make_job(steps=100_000).start()
    wait_until(lambda: running.status().step >= 1)
    paused = make_job(steps=3).start()
    wait_until(lambda: paused.status().place == 1)
    paused.pause()
    wait_until(lambda: paused.status() == ("paused", 0, 0, ""))
    behind = make_job(steps=3).start()
    wait_until(lambda: behind.status().place == 1)
    paused.resume()
    wait_until(lambda: paused.status() == ("queued", 0, 2, ""))
    running.stop()
    for job in (behind, paused):
        job.thread.join(20)
        assert job.status().state == "finished"


def test_the_queue_is_first_come_first_served(make_job) -> None:
    running = make_job(steps=100_000).start()
    wait_until(lambda: running.status().step >= 1)
    waiting = []
    for place in (1, 2, 3):
        waiting.append(make_job(steps=3).start())
        wait_until(lambda job=waiting[-1], place=place: job.status().place == place)
    waiting[1].stop()
    waiting[1].thread.join(20)
    assert waiting[1].status() == ("stopped", 0, 0, "")
    assert [job.status().place for job in (waiting[0], waiting[2])] == [1, 2]
    running.stop()
    for job in (waiting[0], waiting[2]):
        job.thread.join(20)
        assert job.status().state == "finished"


def test_no_more_than_the_slots_run_at_once(make_job) -> None:
    from tfs.tasks import MirrorTask
    from tfs.train.worker import Slots

    lock, now, most = threading.Lock(), 0, 0

    class Counting(MirrorTask):
        def sample(self, *args, **kwargs):
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= 1
            return super().sample(*args, **kwargs)

    slots, task = Slots(2), Counting(10, 4)
    many = [make_job(steps=10, slots=slots, task=task).start() for _ in range(6)]
    for job in many:
        job.thread.join(30)
        assert job.status().state == "finished"
    assert most <= 2


def test_a_failure_is_reported_and_frees_the_slot(make_job) -> None:
    from tfs.tasks import MirrorTask

    class Broken(MirrorTask):
        def sample(self, n, seed, split="train"):
            raise RuntimeError("the data ran away")

    broken, next_one = make_job(task=Broken(10, 4)).start(), make_job().start()
    broken.thread.join(20)
    assert broken.status().state == "failed"
    assert "the data ran away" in broken.status().error
    next_one.thread.join(20)
    assert next_one.status().state == "finished"


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


SECONDS_TO_STOP = 1.0


@pytest.fixture
def large_job(tfs, tmp_path):
    """large_job(eval_every): a started Job of the largest recipe's sizes, past its first update."""
    from dataclasses import replace

    from tfs.tasks import MirrorTask
    from tfs.tokenizers import IntegerTokenizer
    from tfs.train.recipes import SHAKESPEARE
    from tfs.train.worker import Job, Slots

    def make(eval_every, name):
        cfg = SHAKESPEARE.model
        bundle = tfs.Bundle(tfs.DecoderOnly(cfg), IntegerTokenizer(cfg.d_vocab), "# card")
        config = replace(SHAKESPEARE.train, eval_every=eval_every)
        task = MirrorTask(cfg.d_vocab, cfg.n_ctx)
        job = Job(bundle, task, config, tmp_path / name, Slots(1), "large", "One.").start()
        wait_until(lambda: job.status().step >= 1, seconds=60)
        return job

    return make


def test_to_stop_the_largest_recipe_takes_less_than_a_second_of_work(tfs, large_job) -> None:
    """In the processor's seconds: by the clock it depends on who else is on the machine."""
    job = large_job(10_000, "run")
    began = time.process_time()
    job.stop()
    job.thread.join(60)
    assert time.process_time() - began < SECONDS_TO_STOP
    assert job.status().state == "stopped"
    assert tfs.load(job.directory).model.cfg == job.bundle.model.cfg


def test_a_measurement_is_given_up_at_its_next_slice(large_job, monkeypatch) -> None:
    from tfs.train import metrics

    slices, loss, stopped = 0, metrics.next_token_loss, threading.Event()

    def counted(*args):
        nonlocal slices
        slices += 1
        stopped.wait(20)
        return loss(*args)

    job = large_job(2, "run")
    monkeypatch.setattr(metrics, "next_token_loss", counted)
    wait_until(lambda: slices == 1)
    job.stop()
    stopped.set()
    job.thread.join(30)
    assert job.status().state == "stopped" and slices == 1
