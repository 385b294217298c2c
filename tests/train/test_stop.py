"""A stop is soon done, also where an update or a measurement takes long."""

import threading
import time

import pytest

from tests.train.waiting import wait_until

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

    slices, loss, stopped = 0, metrics.mean_loss, threading.Event()

    def counted(*args):
        nonlocal slices
        slices += 1
        stopped.wait(20)
        return loss(*args)

    job = large_job(2, "run")
    monkeypatch.setattr(metrics, "mean_loss", counted)
    wait_until(lambda: slices == 1)
    job.stop()
    stopped.set()
    job.thread.join(30)
    assert job.status().state == "stopped" and slices == 1
