"""python -m tfs train | sample | inspect."""

import json

import pytest


@pytest.fixture
def main():
    from tfs.__main__ import main

    return main


@pytest.fixture
def run(main, tmp_path):
    """A short training, its directory."""
    directory = tmp_path / "run"
    assert main(["train", "mirror", "--out", str(directory), "--steps", "30", "--seed", "3"]) == 0
    return directory


def test_train_writes_a_checkpoint_with_a_card(run, capsys) -> None:
    import tfs

    bundle = tfs.load(run)
    assert "30 updates" in bundle.card and "python -m tfs train mirror" in bundle.card
    assert bundle.snapshots == [0, 16, 24, 30]
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 30
    assert json.loads((run / "train.json").read_text())["seed"] == 3


def test_train_refuses_to_overwrite_and_resumes_instead(main, run, capsys) -> None:
    arguments = ["train", "mirror", "--out", str(run), "--seed", "3"]
    assert main([*arguments, "--steps", "30"]) == 2
    assert "already holds a run; resume it" in capsys.readouterr().err
    assert main([*arguments, "--steps", "40", "--resume"]) == 0
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 40


def test_train_on_a_file_of_ones_own(main, tmp_path, capsys) -> None:
    import tfs

    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat and the rat sat on the cat; " * 200)
    out = tmp_path / "out"
    arguments = ["train", "shakespeare", "--text", str(text), "--out", str(out), "--steps", "1"]
    assert main(arguments) == 0
    assert "nats per *character*" in tfs.load(out).card


def test_sample_continues_the_prompt(main, run, capsys) -> None:
    arguments = ["sample", str(run), "--prompt", "1 2 3", "--tokens", "5", "--seed", "0"]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert first.startswith("1 2 3 ") and len(first.split()) == 8
    assert main(arguments) == 0
    assert capsys.readouterr().out == first


def test_inspect_adds_up(main, run, capsys) -> None:
    import tfs

    assert main(["inspect", str(run), "--prompt", "1 2 3 3 2 1"]) == 0
    out = capsys.readouterr().out
    assert f"{sum(p.numel() for p in tfs.load(run).model.parameters()):,}" in out
    assert "induction" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sample", "nowhere", "--prompt", "x"], "no checkpoint 'nowhere'"),
        (["sample", "mirror", "--prompt", ""], "prompt is empty"),
        (["sample", "mirror", "--prompt", "To be"], "To"),
        (["sample", "mirror", "--prompt", "1 2", "--temperature", "-1"], "temperature"),
        (["inspect", "mirror", "--prompt", "1 " * 40], "n_ctx = 16"),
        (["train", "shakespeare", "--text", "nowhere.txt"], "no file nowhere.txt"),
        (["train", "mirror", "--steps", "0"], "steps"),
    ],
)
def test_mistakes_end_in_one_sentence(main, capsys, arguments, says) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert says in captured.err and "Traceback" not in captured.err
