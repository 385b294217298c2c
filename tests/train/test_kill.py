"""kill -9 at any moment costs nothing but time: the run goes on and ends as if nothing had been."""

import json
import multiprocessing
import random
import sys
import time
from types import ModuleType

import pytest

KILLS = 25
SECONDS_TO_END = 120.0


@pytest.fixture
def processes(monkeypatch):
    """Forked from one process that has imported everything, so that each begins at once.

    A child runs the main module's file first, and a test of a page leaves app.py as that.
    """
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tfs.train.run_library", "tests.train.victim", "torch._dynamo"])
    return context


def begin(processes, root):
    from tests.train.victim import train_in

    ours, theirs = processes.Pipe()
    process = processes.Process(target=train_in, args=(root, theirs), daemon=True)
    process.start()
    return process, ours


def finish(processes, root) -> None:
    process, pipe = begin(processes, root)
    for expected in ("begins", "finished"):
        assert pipe.poll(SECONDS_TO_END)
        got = pipe.recv()
        assert (got if isinstance(got, str) else got[0]) == expected, got
    process.join(20)


def outcome(root):
    """All that the run is, without what depends on the clock."""
    (directory,) = root.glob("run-*")
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        del line["tokens_per_second"]
    tensors = [*(directory / "last").iterdir(), *(directory / "snapshots").iterdir()]
    tensors.append(directory / "model.safetensors")
    return lines, {str(path.relative_to(directory)): path.read_bytes() for path in tensors}


def assert_readable(root) -> int:
    """Whatever moment it was killed at; returns the step it can be resumed from."""
    import tfs
    from tfs.train.run import read_metrics
    from tfs.train.run_library import Library

    library = Library(root)
    entries = library.entries("owner")
    if not entries:  # killed before it had its name
        return 0
    (entry,) = entries
    assert entry.state in ("interrupted", "finished")
    directory = root / entry.name
    bundle = tfs.load(directory)
    for step in bundle.snapshots:
        bundle.at_step(step)
    steps = [line["step"] for line in read_metrics(directory)]
    assert steps == list(range(1, len(steps) + 1)) and len(steps) >= entry.step
    assert all(json.loads(path.read_text()) for path in directory.glob("*.json"))
    return entry.step


def is_half_written(root) -> bool:
    """Whether a save was cut off: something lies there that no finished write leaves."""
    folders = len([*root.glob("run-*/last-*")])
    return folders > 1 or any(root.glob("run-*/**/.*"))


def wait_for_updates(root, more: int) -> None:
    """Until the log has that many more lines than now."""

    def size() -> int:
        return sum(path.read_bytes().count(b"\n") for path in root.glob("run-*/metrics.jsonl"))

    until, deadline = size() + more, time.monotonic() + 10
    while size() < until and time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.mark.slow
def test_a_run_that_was_killed_again_and_again_is_the_run_that_never_was(processes, tmp_path):
    dice = random.Random(0)
    finish(processes, tmp_path / "whole")
    torn, moments, cut_off = tmp_path / "torn", [], 0
    torn.mkdir()
    for kill in range(KILLS):
        process, pipe = begin(processes, torn)
        assert pipe.poll(SECONDS_TO_END) and pipe.recv() == "begins"
        if kill % 5:  # each fifth is killed while it begins
            wait_for_updates(torn, dice.randint(1, 14))
        time.sleep(dice.uniform(0, 0.03))
        assert process.is_alive(), "it was killed at work, not when it was over"
        process.kill()
        process.join()
        cut_off += is_half_written(torn)
        moments.append(assert_readable(torn))
    print(moments, cut_off)
    assert cut_off >= 3, "too few of the kills fell into a save"
    assert moments == sorted(moments) and 0 < moments[-1] < 400
    finish(processes, torn)
    lines, tensors = outcome(tmp_path / "whole")
    torn_lines, torn_tensors = outcome(torn)
    assert torn_lines == lines and len(lines) == 400
    assert torn_tensors.keys() == tensors.keys()
    assert [name for name in tensors if tensors[name] != torn_tensors[name]] == []
