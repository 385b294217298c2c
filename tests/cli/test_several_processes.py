"""torchrun -m tfs train: two processes on one machine make the run that one makes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
ONE = [sys.executable, "-m"]
PATIENCE = 300  # seconds: a run that hangs fails the test

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="torchrun is at home on Linux and macOS"),
]


def tfs_train(launcher, *arguments, seconds=PATIENCE):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*launcher, "tfs", "train", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=seconds
    )


def losses(directory):
    lines = map(json.loads, (directory / "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines]


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory):
    """The directories of a run by one process and by two, and what the two printed."""
    folder = tmp_path_factory.mktemp("runs")
    arguments = ("mirror", "--steps", 30, "--save-every", 20, "--accumulate", 2)
    alone = tfs_train(ONE, *arguments, "--out", folder / "one")
    assert alone.returncode == 0, alone.stderr
    both = tfs_train(TWO, *arguments, "--out", folder / "two")
    assert both.returncode == 0, both.stderr
    return folder / "one", folder / "two", both


def test_two_processes_make_the_losses_of_one(one_and_two):
    one, two, _ = one_and_two
    assert len(losses(one)) == 30
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)


def test_the_first_process_alone_writes_and_prints(one_and_two):
    one, two, both = one_and_two
    assert both.stdout.count("saved to") == 1
    assert both.stderr.count("parameters, 30 updates") == 1
    names = [sorted(str(p.relative_to(d)) for p in d.rglob("*")) for d in (one, two)]
    assert names[0] == names[1]


def test_two_processes_resume_what_two_began(one_and_two, tmp_path):
    """The run is cut back to its save at step 20; the second process never reads the directory."""
    arguments = ("mirror", "--save-every", 20, "--accumulate", 2, "--out", tmp_path / "run")
    begun = tfs_train(TWO, *arguments, "--steps", 20, "--schedule", "constant")
    assert begun.returncode == 0, begun.stderr
    again = tfs_train(TWO, "--resume", "--out", tmp_path / "run", "--steps", 30)
    assert again.returncode == 0, again.stderr
    whole = tfs_train(ONE, *arguments[:-1], tmp_path / "w", "--steps", 30, "--schedule", "constant")
    assert whole.returncode == 0, whole.stderr
    assert len(losses(tmp_path / "run")) == 30
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "w"), abs=1e-5)


def test_dropout_differs_between_processes_and_repeats(tmp_path):
    arguments = ("mirror", "--steps", 5, "--dropout", 0.3)
    for name in ("first", "again"):
        assert tfs_train(TWO, *arguments, "--out", tmp_path / name).returncode == 0
    assert losses(tmp_path / "first") == losses(tmp_path / "again")
    alone = tfs_train(ONE, *arguments, "--accumulate", 2, "--out", tmp_path / "alone")
    assert alone.returncode == 0
    assert losses(tmp_path / "first") == pytest.approx(losses(tmp_path / "alone"), abs=1e-5)


def test_a_mistake_ends_all_processes(tmp_path, one_and_two):
    """Only the first process looks at the directory; the second must not wait for it for ever."""
    one, _, _ = one_and_two
    before, started = losses(one), time.monotonic()
    refused = tfs_train(TWO, "mirror", "--out", one)
    assert refused.returncode != 0 and time.monotonic() - started < PATIENCE / 2
    assert "tfs: process 0 of 2: " in refused.stderr
    assert "already holds a run; add --resume" in refused.stderr
    assert losses(one) == before
    few = tfs_train(TWO, "mirror", "--batch-size", 1, "--out", tmp_path / "few")
    assert few.returncode != 0 and not (tmp_path / "few").exists()
    assert "batch_size = 1 is less than one sequence for each of 2 processes" in few.stderr


def test_an_error_in_one_process_ends_the_other(tmp_path):
    """The second process fails in its third update, while the first waits for its gradients."""
    script = tmp_path / "fails.py"
    script.write_text(
        "import sys\n"
        "from tfs.train import loop, processes\n"
        "real = loop.backward\n"
        "def backward(model, loss_of, batch, config, step):\n"
        "    if step == 3 and processes.process_number() == 1:\n"
        "        raise RuntimeError('the second process is unwell')\n"
        "    return real(model, loss_of, batch, config, step)\n"
        "loop.backward = backward\n"
        "import tfs.__main__ as command\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    launcher = [*TWO[:-1], str(script)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*launcher, "train", "mirror", "--out", str(tmp_path / "run")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode != 0 and "the second process is unwell" in ended.stderr
