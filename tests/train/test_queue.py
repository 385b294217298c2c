"""Trainings in one queue: who waits, who steps back, and who comes next."""

import threading
import time
from itertools import pairwise

from tests.train.waiting import wait_until


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
