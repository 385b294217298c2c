"""python -m tfs train | sample | inspect."""

import json
import os

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
    assert "already holds a run; add --resume" in capsys.readouterr().err
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


def said_once(capsys) -> str:
    """The one line on stderr, with nothing on stdout and no progress bar before it."""
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("tfs: ")
    assert captured.err.count("\n") == 1 and captured.err.endswith("\n")
    assert "\r" not in captured.err
    return captured.err


@pytest.mark.parametrize("when_full", [None, "slide", "stop"])
@pytest.mark.parametrize(("tokens", "is_full"), [(13, False), (14, True), (40, True)])
def test_sample_says_once_that_the_context_is_full(main, capsys, when_full, tokens, is_full):
    """Of 16 positions the prompt takes 4: 12 more tokens fit, and a 13th need not be read."""
    arguments = ["sample", "mirror", "--prompt", "1 2 3 4", "--tokens", str(tokens), "--seed", "0"]
    assert main(arguments + (["--when-full", when_full] if when_full else [])) == 0
    captured = capsys.readouterr()
    stops = when_full == "stop"
    assert len(captured.out.split()) == 4 + (min(tokens, 13) if stops else tokens)
    assert captured.out.count("\n") == 1 and captured.out.startswith("1 2 3 4 ")
    done = "writing ends here" if stops else "its oldest half is dropped"
    expected = f"tfs: the context of 16 tokens is full: {done}" if is_full else ""
    assert captured.err.startswith(expected) and captured.err.count("\n") == is_full


def test_sample_writes_what_generate_stream_does(main, capsys) -> None:
    import torch

    import tfs

    main(["sample", "mirror", "--prompt", "5 6", "--tokens", "30", "--temperature", "0"])
    model = tfs.load("mirror").model
    expected = tfs.generate(model, torch.tensor([[5, 6]]), 30, temperature=0.0)[0]
    assert capsys.readouterr().out.split() == [str(token) for token in expected.tolist()]


@pytest.mark.parametrize("prompt", ["", "1 x", "1 " * 17])
def test_inspect_prints_nothing_before_it_refuses_a_prompt(main, capsys, prompt) -> None:
    assert main(["inspect", "mirror", "--prompt", prompt]) == 2
    said_once(capsys)


@pytest.mark.parametrize("seed", ["-1", str(2**64), str(2**80), "1.5", "9" * 5000])
@pytest.mark.parametrize("command", [["train", "mirror"], ["sample", "mirror", "--prompt", "1 2"]])
def test_a_seed_is_a_whole_number_of_64_bits(main, tmp_path, capsys, command, seed) -> None:
    out = ["--out", str(tmp_path / "out"), "--steps", "1"] if command[0] == "train" else []
    assert main([*command, *out, "--seed", seed]) == 2
    said = said_once(capsys)
    assert f"argument --seed: give a whole number from 0 to {2**64 - 1}, not" in said
    assert not any(tmp_path.iterdir())


def test_the_largest_seed_trains_and_samples(main, tmp_path, capsys) -> None:
    out, seed = str(tmp_path / "out"), str(2**64 - 1)
    assert main(["train", "mirror", "--out", out, "--steps", "1", "--seed", seed]) == 0
    assert main(["sample", out, "--prompt", "1 2", "--tokens", "3", "--seed", seed]) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--out {0}/new --threads 0", "--threads: give a whole number from 1 to 1024, not '0'"),
        ("--out {0}/new --threads -2", "--threads: give a whole number from 1 to 1024, not '-2'"),
        ("--out {0}/new --threads 2147483648", "--threads: give a whole number from 1 to 1024"),
        ("--out {0}/new --steps 0", "--steps: give a whole number from 1"),
        ("--out {0}/file", "nothing can be written in {0}/file (Not a directory)"),
        ("--out {0}/file/a/run", "nothing can be written in {0}/file (Not a directory)"),
        ("--out {0}/empty --resume", "{0}/empty holds no saved run; leave out --resume"),
        ("--out {0}/missing --resume", "{0}/missing holds no saved run; leave out --resume"),
        ("--out {0}/new --text {0}/file", "at least 256 tokens, and mirror has 100"),
    ],
)
def test_train_refuses_before_it_writes_or_draws(main, tmp_path, capsys, options, says) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "empty").mkdir()
    given = [option.format(tmp_path) for option in options.split()]
    assert main(["train", "mirror", "--steps", "1", *given]) == 2
    assert says.format(tmp_path) in said_once(capsys)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file"]


def test_train_refuses_a_directory_without_permission(main, tmp_path, capsys, monkeypatch) -> None:
    """To root no directory is forbidden, so the system's answer is played."""

    def forbidden(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "mkdir", forbidden)
    assert main(["train", "mirror", "--out", str(tmp_path / "a" / "b"), "--steps", "1"]) == 2
    said = said_once(capsys)
    assert f"nothing can be written in {tmp_path} (Permission denied); name another" in said


@pytest.mark.parametrize(
    ("recipe", "seed", "differs"), [("mirror", "4", "seed = 3;"), ("induction", "3", "n_layers")]
)
def test_train_resumes_only_the_run_that_was(main, run, capsys, recipe, seed, differs) -> None:
    capsys.readouterr()
    before = (run / "metrics.jsonl").read_text()
    assert main(["train", recipe, "--out", str(run), "--seed", seed, "--resume"]) == 2
    assert f"the run in {run} has {differs}" in said_once(capsys)
    assert (run / "metrics.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "train,sample,inspect"),
        (["train", "nobody"], "choose from 'addition', 'addition-forwards', 'brackets'"),
        (["sample", "nowhere", "--prompt", "x"], "no checkpoint 'nowhere'"),
        (["sample", "README.md", "--prompt", "x"], "no checkpoint 'README.md'"),
        (["inspect", "nowhere"], "no checkpoint 'nowhere'"),
        (["sample", "mirror"], "required: --prompt"),
        (["sample", "mirror", "--prompt", ""], "prompt is empty"),
        (["sample", "mirror", "--prompt", "To be"], "To"),
        (["sample", "mirror", "--prompt", "1 " * 17], "17 tokens, more than this model's context"),
        (["sample", "mirror", "--prompt", "1 2", "--tokens", "0"], "--tokens: give a whole number"),
        (["sample", "mirror", "--prompt", "1 2", "--tokens", "-1"], "--tokens: give a whole"),
        (["sample", "mirror", "--prompt", "1 2", "--temperature", "-1"], "temperature"),
        (["sample", "mirror", "--prompt", "1 2", "--temperature", "hot"], "--temperature"),
        (["sample", "mirror", "--prompt", "1 2", "--top-k", "0"], "top_k must keep at least 1"),
        (["sample", "mirror", "--prompt", "1 2", "--top-p", "2"], "top_p must lie above 0"),
        (["sample", "mirror", "--prompt", "1 2", "--when-full", "error"], "'slide', 'stop'"),
        (["inspect", "mirror", "--prompt", "1 " * 40], "n_ctx = 16"),
        (
            ["train", "shakespeare", "--text", "nowhere.txt", "--out", "nowhere"],
            "no file nowhere.txt",
        ),
        (["train", "mirror", "--steps", "0"], "steps"),
    ],
)
def test_mistakes_end_in_one_sentence(main, capsys, arguments, says) -> None:
    assert main(arguments) == 2
    assert says in said_once(capsys)
