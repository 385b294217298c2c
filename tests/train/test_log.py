"""A log that is followed while it is written, cut short, and written on."""

import json
import os

import pytest


@pytest.fixture
def log(tmp_path):
    from tfs.train.log import MetricsLog

    return MetricsLog(tmp_path)


def line(step: int) -> str:
    return json.dumps({"step": step}) + "\n"


def steps(log) -> list[int]:
    return [each["step"] for each in log.read()]


def test_it_follows_and_leaves_a_half_written_line_for_later(log) -> None:
    assert steps(log) == []
    log.path.write_text(line(1) + line(2)[:5])
    assert steps(log) == [1]
    with log.path.open("a") as file:
        file.write(line(2)[5:] + line(3))
    assert steps(log) == steps(log) == [1, 2, 3]


def test_what_was_read_is_not_read_again(log, monkeypatch) -> None:
    log.path.write_text("".join(map(line, range(1, 101))))
    assert len(steps(log)) == 100
    with log.path.open("a") as file:
        file.write(line(101))
    parsed = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda t: parsed.append(t) or loads(t))
    assert len(steps(log)) == 101 and len(parsed) == 1


def test_a_resumed_run_begins_again_with_fewer_lines(log) -> None:
    log.path.write_text("".join(map(line, range(1, 11))))
    assert len(steps(log)) == 10
    shorter = log.path.with_suffix(".partial")
    shorter.write_text("".join(map(line, range(1, 21))))
    os.replace(shorter, log.path)
    assert steps(log) == list(range(1, 21))


def test_a_reader_may_do_with_its_list_what_it_likes(log) -> None:
    log.path.write_text(line(1))
    log.read().clear()
    assert steps(log) == [1]
