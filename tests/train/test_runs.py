"""A run on disk: what it leaves, that it resumes bit for bit, and that a crash costs no more."""

import itertools
import json
import os
import shutil

import pytest
import torch

MODELS = {
    "untied": {},
    "tied, two layers": {"tie_word_embeddings": True, "n_layers": 2},
    "attn only, no positions": {"attn_only": True, "positional_embedding_type": "none"},
}
ONE_MODEL = pytest.mark.parametrize("setup", ["tied, two layers"], indirect=True)


@pytest.fixture(scope="module")
def config(train_config):
    return train_config(
        dropout=0.2, weight_decay=0.1, save_every=5, snapshots_per_octave=1, lr=1e-2
    )


@pytest.fixture(scope="module", params=[*MODELS])
def setup(request, mirror_setup):
    return lambda: mirror_setup(**MODELS[request.param])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, setup, config):
    """The directory of a run that never stopped, and its model."""
    from tfs.train import train

    directory, (model, task) = tmp_path_factory.mktemp("run"), setup()
    list(train(model, task, config, directory))
    return directory, model


def metrics(directory):
    """The log's lines as they stand, without what depends on the clock."""
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) | {"tokens_per_second": None} for line in lines]


def tensors(directory):
    """The bits of every tensor file, by path below the run's directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for folder in ("snapshots", "last")
        for path in sorted((directory / folder).iterdir())
    }


def start(setup, config, directory, steps, resume=False):
    from tfs.train import train

    model, task = setup()
    run = train(model, task, config, directory, resume=resume)
    taken = [step.step for step in itertools.islice(run, steps)]
    run.close()
    return model, taken


def assert_same_run(directory, model, uninterrupted):
    expected, expected_model = uninterrupted
    assert metrics(directory) == metrics(expected)
    assert tensors(directory) == tensors(expected)
    for name, parameter in expected_model.named_parameters():
        assert torch.equal(model.get_parameter(name), parameter), name


@ONE_MODEL
def test_what_a_run_leaves(uninterrupted):
    directory, model = uninterrupted
    files = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    steps = (0, 1, 2, 4, 8, 12)
    snapshots = {f"snapshots/step_{step:06d}.safetensors" for step in steps}
    state = {f"last-12/{name}" for name in ("model.safetensors", "optim.safetensors", "state.json")}
    expected = {"config.json", "train.json", "metrics.jsonl", "alive"} | snapshots | state
    assert expected <= files | {path.replace("last/", "last-12/") for path in files}
    assert files - expected <= {path.replace("last-12/", "last/") for path in state}
    assert [line["step"] for line in metrics(directory)] == list(range(1, 13))
    evaluated = [line["step"] for line in metrics(directory) if line["held_out"]]
    assert evaluated == [4, 8, 12]


@pytest.mark.parametrize(("stop", "again_from"), [(5, 6), (7, 6), (9, 6), (11, 11), (12, None)])
def test_a_resumed_run_is_one_that_never_stopped(
    tmp_path, setup, config, uninterrupted, stop, again_from
):
    start(setup, config, tmp_path, stop)
    model, taken = start(setup, config, tmp_path, None, resume=True)
    assert taken == ([] if again_from is None else list(range(again_from, 13)))
    assert_same_run(tmp_path, model, uninterrupted)


@ONE_MODEL
def test_resuming_twice(tmp_path, setup, config, uninterrupted):
    start(setup, config, tmp_path, 6)
    start(setup, config, tmp_path, 3, resume=True)
    model, taken = start(setup, config, tmp_path, None, resume=True)
    assert taken == list(range(6, 13))
    assert_same_run(tmp_path, model, uninterrupted)


@ONE_MODEL
def test_a_run_that_never_came_to_a_save_begins_again_with_its_first_weights(
    tmp_path, setup, config, uninterrupted
):
    start(setup, config, tmp_path, 3)
    model, taken = start(setup, config, tmp_path, None, resume=True)
    assert taken == list(range(1, 13))
    assert_same_run(tmp_path, model, uninterrupted)


@ONE_MODEL
def test_there_is_nothing_to_resume_in_an_empty_or_missing_directory(tmp_path, setup, config):
    with pytest.raises(ValueError, match="holds nothing to resume from"):
        start(setup, config, tmp_path, None, resume=True)
    with pytest.raises(ValueError, match="there is no run in"):
        start(setup, config, tmp_path / "missing", None, resume=True)
    assert not (tmp_path / "missing").exists()


@ONE_MODEL
def test_a_start_that_was_cut_off_can_be_made_again(
    tmp_path, monkeypatch, setup, config, uninterrupted
):
    """Half of a start, at each of its writes: no line of metrics, so it is no run yet."""
    from tfs.train import files

    for nth in (1, 2, 3):
        with monkeypatch.context() as patch, pytest.raises(Crash):
            patch.setattr(files, "save_file", crashing(files.save_file, nth, lambda *args: True))
            start(setup, config, tmp_path, None)
    model, _ = start(setup, config, tmp_path, None)
    assert_same_run(tmp_path, model, uninterrupted)


@ONE_MODEL
def test_two_trainings_do_not_share_a_directory(tmp_path, setup, config):
    from tfs.train import train

    first = train(*setup(), config, tmp_path)
    next(first)
    for resume in (False, True):
        with pytest.raises(ValueError, match="another training is at work in"):
            next(train(*setup(), config, tmp_path, resume=resume))
    first.close()
    assert start(setup, config, tmp_path, 1, resume=True)[1] == [1]


@ONE_MODEL
def test_a_resumed_run_clears_away_what_is_not_its_own(tmp_path, setup, config, uninterrupted):
    start(setup, config, tmp_path, 9)
    (tmp_path / "last-9").mkdir()
    (tmp_path / "last-9" / "model.safetensors").write_bytes(b"half a file")
    (tmp_path / "last.new").symlink_to("last-9")
    for folder in (tmp_path, tmp_path / "snapshots", tmp_path / "last"):
        (folder / ".model.safetensors.x1y2").write_bytes(b"half a file")
    model, taken = start(setup, config, tmp_path, None, resume=True)
    assert taken == list(range(6, 13))
    assert_same_run(tmp_path, model, uninterrupted)
    left = [path.name for path in tmp_path.rglob("*") if path.name.startswith((".", "last"))]
    assert sorted(left) == ["last", "last-12"]


@ONE_MODEL
def test_snapshots_of_updates_that_are_done_again_are_cut_off(tmp_path, setup, config):
    start(setup, config, tmp_path, 9)
    assert (tmp_path / "snapshots" / "step_000008.safetensors").is_file()
    start(setup, config, tmp_path, 1, resume=True)
    kept = sorted(path.name[5:11] for path in (tmp_path / "snapshots").iterdir())
    assert kept == ["000000", "000001", "000002", "000004"]


@ONE_MODEL
def test_a_run_is_not_overwritten(tmp_path, setup, config):
    start(setup, config, tmp_path, 1)
    before = (tmp_path / "metrics.jsonl").read_text()
    with pytest.raises(ValueError, match="already holds a run; resume it, or choose another"):
        start(setup, config, tmp_path, 1)
    assert (tmp_path / "metrics.jsonl").read_text() == before


@ONE_MODEL
def test_a_line_that_was_half_written_is_left_out(tmp_path, setup, config, uninterrupted):
    from tfs.train.run import read_metrics

    start(setup, config, tmp_path, 7)
    with (tmp_path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 8, "lo')
    assert [line["step"] for line in read_metrics(tmp_path)] == list(range(1, 8))
    model, _ = start(setup, config, tmp_path, None, resume=True)
    assert_same_run(tmp_path, model, uninterrupted)


class Crash(Exception):
    pass


def crashing(function, nth, concerns):
    """`function`, whose nth call that `concerns` these arguments half works and then crashes."""
    calls = itertools.count(1)

    def wrapped(*args, **kwargs):
        if concerns(*map(str, args)) and next(calls) == nth:
            if function.__name__ == "save_file":
                args[1].write_bytes(b"half a file")
            raise Crash
        return function(*args, **kwargs)

    return wrapped


CRASHES = [
    *[("save_file", nth) for nth in (1, 2)],  # the weights, the moments
    *[("replace", nth) for nth in (1, 2, 3, 4)],  # ... in place, state.json, the folder itself
]


@ONE_MODEL
@pytest.mark.parametrize(("name", "nth"), CRASHES)
def test_a_crash_while_saving_leaves_the_save_before(
    tmp_path, monkeypatch, setup, config, uninterrupted, name, nth
):
    from tfs.train import files, train

    run = train(*setup(), config, tmp_path)
    for _ in range(9):
        next(run)
    before = {path.name: path.read_bytes() for path in (tmp_path / "last").iterdir()}
    place = files if name == "save_file" else os
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(
            place, name, crashing(getattr(place, name), nth, lambda *args: "last" in str(args))
        )
        next(run)
    assert {path.name: path.read_bytes() for path in (tmp_path / "last").iterdir()} == before

    model, taken = start(setup, config, tmp_path, None, resume=True)
    assert taken == list(range(6, 13))
    assert_same_run(tmp_path, model, uninterrupted)


@ONE_MODEL
def test_a_crash_while_keeping_a_snapshot_leaves_no_half_file(tmp_path, monkeypatch, setup, config):
    from tfs.train import files

    fails = crashing(files.save_file, 3, lambda *args: "snapshots" in str(args))
    monkeypatch.setattr(files, "save_file", fails)
    with pytest.raises(Crash):
        start(setup, config, tmp_path, None)
    kept = ["step_000000.safetensors", "step_000001.safetensors"]
    assert sorted(os.listdir(tmp_path / "snapshots")) == kept


@ONE_MODEL
def test_a_run_can_be_moved(tmp_path, setup, config, uninterrupted):
    start(setup, config, tmp_path / "here", 7)
    shutil.copytree(tmp_path / "here", tmp_path / "there", symlinks=True)
    shutil.rmtree(tmp_path / "here")
    model, _ = start(setup, config, tmp_path / "there", None, resume=True)
    assert_same_run(tmp_path / "there", model, uninterrupted)


@ONE_MODEL
@pytest.mark.parametrize("name", ["model", "optim"])
def test_a_damaged_save_is_refused_in_one_sentence(tmp_path, setup, config, uninterrupted, name):
    shutil.copytree(uninterrupted[0], tmp_path / "run", symlinks=True)
    (tmp_path / "run" / "last" / f"{name}.safetensors").write_bytes(b"noise")
    with pytest.raises(ValueError, match="is damaged or of another model") as caught:
        start(setup, config, tmp_path / "run", 1, resume=True)
    assert "\n" not in str(caught.value)
