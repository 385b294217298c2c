"""Waiting for a run in another thread, but not for ever."""

import time


def finished(job):
    job.thread.join(60)
    assert job.status().state == "finished", job.status()
    return job.directory.name


def wait_until(holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)
