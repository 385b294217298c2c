"""The runs of a server: whose they are, what is said of them, and how they come and go."""

import dataclasses
import json
import time

import pytest
import torch

from tests.train.waiting import finished, wait_until


def restarted(library):
    """The library of a server that comes after this one."""
    from tfs.train.run_library import Library

    return Library(library.root, slots=library.slots)


def lines_of(directory):
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) | {"tokens_per_second": None} for line in lines]


def test_a_run_says_what_it_is_now_and_after_a_restart(library, recipe):
    began = time.time()
    job = library.start(recipe(), "key", title=" My  run ")
    name = finished(job)
    for at in (library, restarted(library)):
        entry = at.entry(name)
        assert (entry.title, entry.state, entry.step, entry.steps) == ("My run", "finished", 20, 20)
        assert entry.parent is None and entry.error == ""
        assert began <= entry.created <= time.time() and 0 < entry.seconds < 60
        files = [path for path in job.directory.rglob("*") if path.is_file()]
        assert entry.bytes == pytest.approx(sum(path.stat().st_size for path in files), rel=0.01)
    assert library.job(name) is job and restarted(library).job(name) is None
    assert "My run" in (job.directory / "README.md").read_text()
    assert "**Time**" in (job.directory / "README.md").read_text()


def test_everyone_sees_their_own_runs_newest_first_and_no_key_is_stored(library, recipe):
    names = [finished(library.start(recipe(steps=2), who)) for who in ("ann", "ben", "ann")]
    assert [e.name for e in library.entries("ann")] == [names[2], names[0]]
    assert [e.name for e in library.entries("ben")] == [names[1]]
    assert library.entries("") == [] == library.entries("cleo")
    assert library.entry(names[1]).title == "mirror", "a name is a key to the run of another"
    for path in library.root.rglob("*.json"):
        assert "ann" not in path.read_text() and "ben" not in path.read_text()


@pytest.mark.parametrize("name", ["run-0123456789abcdef", "", "..", "../run-0", "nonsense"])
def test_a_name_that_is_no_run(library, name):
    for ask in (library.entry, library.resume, library.delete, library.export):
        with pytest.raises(ValueError, match="there is no run"):
            ask(name)
    assert library.job(name) is None


def test_a_stopped_run_goes_on_after_a_restart_bit_for_bit(library, recipe):
    whole = library.start(recipe(steps=150), "key")
    finished(whole)
    part = library.start(recipe(steps=150), "key")
    wait_until(lambda: part.status().step >= 20)
    part.stop()
    part.thread.join(20)
    name, step = part.directory.name, part.status().step
    assert part.status().state == "stopped" and step < 150
    later = restarted(library)
    assert later.entry(name)[2:4] == ("stopped", step)
    again = later.resume(name)
    assert [report.step for report in again.steps()][:step] == list(range(1, step + 1))
    finished(again)
    assert lines_of(again.directory) == lines_of(whole.directory)
    for file in ("model", "optim"):
        one, other = (
            (job.directory / "last" / f"{file}.safetensors").read_bytes() for job in (whole, again)
        )
        assert one == other
    assert later.entry(name).seconds > part.seconds
    with pytest.raises(ValueError, match="is finished, so there is nothing to resume"):
        later.resume(name)


def test_a_paused_run_is_running_elsewhere_for_another_process_and_then_interrupted(
    library, recipe
):
    job = library.start(recipe(steps=100_000), "key")
    name = job.directory.name
    wait_until(lambda: job.status().step >= 3)
    job.pause()
    wait_until(lambda: job.status().state == "paused")
    step, other = job.status().step, restarted(library)
    assert library.entry(name).state == "paused"
    assert other.entry(name)[2:4] == ("running elsewhere", step)
    for refused in (other.resume, other.delete):
        with pytest.raises(ValueError, match="is running elsewhere"):
            refused(name)
    assert library.resume(name) is job
    wait_until(lambda: job.status().step > step)
    job.stop()
    job.thread.join(20)
    status = json.loads((job.directory / "status.json").read_text())
    for state in ("queued", "running", "paused"):
        (job.directory / "status.json").write_text(json.dumps(status | {"state": state}))
        assert other.entry(name)[2:4] == ("interrupted", status["step"])
    (job.directory / "status.json").unlink()
    assert other.entry(name).state == "interrupted"


def test_a_training_in_a_terminal_is_seen_in_the_library(library, recipe):
    import tfs

    job = library.start(recipe(steps=5), "key")
    name = finished(job)
    (job.directory / "last").unlink()
    (job.directory / "metrics.jsonl").unlink()
    run = tfs.train(tfs.DecoderOnly(recipe().model), job.task, recipe(steps=9).train, job.directory)
    for _ in range(7):
        next(run)
    assert library.entry(name)[2:4] == ("running elsewhere", 7)
    run.close()
    assert library.entry(name).state == "finished"


def test_a_run_that_was_killed_before_its_training_began_can_be_started(library, recipe):
    job = library.start(recipe(steps=6), "key")
    name = finished(job)
    for path in job.directory.rglob("*"):
        if path.name in ("metrics.jsonl", "status.json", "train.json") or path.is_symlink():
            path.unlink()
    first = job.directory / "snapshots" / "step_000000.safetensors"
    (job.directory / "model.safetensors").write_bytes(first.read_bytes())
    later = restarted(library)
    assert later.entry(name)[2:4] == ("interrupted", 0)
    again = later.resume(name)
    finished(again)
    assert [r.loss for r in again.steps()] == [r.loss for r in job.steps()]


def test_a_branch_begins_with_the_weights_of_a_snapshot(library, recipe):
    import tfs

    parent = library.start(recipe(steps=16), "key")
    name = finished(parent)
    branch = library.start(recipe(steps=1), "key", parent=(name, 8))
    finished(branch)
    first = tfs.load(branch.directory).at_step(0)
    wanted = tfs.load(parent.directory).at_step(8)
    for key, parameter in wanted.named_parameters():
        assert torch.equal(first.get_parameter(key), parameter)
    assert library.entry(branch.directory.name).parent == (name, 8)
    with pytest.raises(ValueError, match="step 9 was not kept; the steps that were: 0, 1, 2"):
        library.start(recipe(), "key", parent=(name, 9))
    wider = recipe()
    wider = dataclasses.replace(wider, model=dataclasses.replace(wider.model, d_mlp=64))
    with pytest.raises(ValueError, match="has d_mlp = 32, and the new one 64; choose the same"):
        library.start(wider, "key", parent=(name, 8))
    assert len(library.entries("key")) == 2
    assert {path.name[:4] for path in library.root.iterdir()} == {"run-"}


def test_a_bundled_checkpoint_can_be_trained_further(library):
    from tfs.train.recipes import INDUCTION

    recipe = dataclasses.replace(INDUCTION, train=dataclasses.replace(INDUCTION.train, steps=2))
    job = library.start(recipe, "key", parent=("induction", 2000))
    finished(job)
    assert job.steps()[0].loss < 5.0 < torch.tensor(256.0).log()


def text_recipe(**fields):
    from tfs.train.recipe import Recipe

    return Recipe.from_dict(
        {
            "task": {"name": "text", "tokenizer": "characters", "n_ctx": 8},
            "model": {"n_layers": 1, "d_model": 16, "d_head": 8},
            "train": {"steps": 3, "batch_size": 4, "eval_size": 4, "warmup_steps": 1, **fields},
        }
    )


def test_an_uploaded_text_is_kept_with_its_run_and_read_again_by_a_branch(library):
    text = "to be or not to be\r\n" * 40
    job = library.start(text_recipe(), "key", text=text)
    name = finished(job)
    assert (job.directory / "text.txt").read_bytes().decode() == text
    assert job.bundle.model.cfg.d_vocab == len(set(text)) == job.task.d_vocab
    from tfs.train.recipe import read_recipe

    recipe = read_recipe(job.directory)
    assert recipe.task_options["corpus"] == "text.txt"
    again = library.start(recipe, "key", parent=(name, 3))
    finished(again)
    other = library.start(recipe, "key", parent=(name, 3), text="bet not to roe\r\n" * 60)
    finished(other)
    assert other.task.tokenizer.vocab == job.task.tokenizer.vocab
    with pytest.raises(ValueError, match="'q'"):
        library.start(recipe, "key", parent=(name, 3), text="quite another text " * 60)
    with pytest.raises(ValueError, match="reads the file 'text.txt', which is not here"):
        library.start(recipe, "key")


def test_no_file_of_the_server_is_read_as_a_corpus(library, tmp_path):
    (tmp_path / "secret").write_text("a secret " * 100)
    for corpus in (str(tmp_path / "secret"), "../secret"):
        options = {"corpus": corpus, "n_ctx": 8}
        with pytest.raises(ValueError, match="give its text, or choose one of these"):
            library.start(dataclasses.replace(text_recipe(), task_options=options), "key")


def test_a_full_disk_is_said_before_anything_is_written(library, recipe):
    name = finished(library.start(recipe(steps=2), "key"))
    packed = library.export(name)
    library.budget = library.entry(name).bytes + 1000
    for more in (lambda: library.start(recipe(), "key"), lambda: library.import_(packed, "key")):
        with pytest.raises(ValueError, match="there is no room .* the limit is .*; delete a run"):
            more()
    assert [path.name for path in library.root.iterdir()] == [name]
    library.delete(name)
    library.budget = 10**9
    finished(library.start(recipe(steps=2), "key"))


def test_rename_and_delete(library, recipe):
    job = library.start(recipe(steps=100_000), "key")
    name = job.directory.name
    library.rename(name, "Another name")
    assert library.entries("key")[0].title == "Another name"
    for title in ("", "  ", "x" * 81):
        with pytest.raises(ValueError, match="a title has 1 to 80 characters"):
            library.rename(name, title)
    with pytest.raises(ValueError, match="stop it before deleting it"):
        library.delete(name)
    job.stop()
    job.thread.join(20)
    library.delete(name)
    assert library.entries("key") == [] and library.job(name) is None
    assert not list(library.root.iterdir())


def test_what_a_killed_server_left_half_made_goes_away_in_time(library):
    import os

    old, new = library.root / ".new-0", library.root / ".new-1"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    restarted(library)
    assert not old.exists() and new.exists()
    assert library.entries("key") == []
