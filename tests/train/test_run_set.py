"""An experiment in a library: its runs one after another, stopped, gone on with, owned."""

import dataclasses
import time

import pytest

SECONDS = 60


@pytest.fixture
def tiny():
    """experiment(**changes): two choices of a mirror of 4 tokens, six updates each."""
    from tfs.train.experiment import Experiment
    from tfs.train.recipe import Recipe

    model = {"n_layers": 1, "d_model": 8, "n_heads": 1, "d_head": 8, "d_mlp": 8}
    train = {"steps": 6, "batch_size": 4, "warmup_steps": 1, "eval_every": 2, "eval_size": 8}
    base = {"task": {"name": "mirror", "d_vocab": 5, "n_ctx": 4}, "model": model, "train": train}

    def experiment(**changes):
        fields = {
            "name": "tiny",
            "question": "Which?",
            "look_for": "Anything.",
            "base": Recipe.from_dict(base),
            "axes": {"rate": {"slow": {"train": {"lr": 1e-3}}, "fast": {"train": {"lr": 1e-2}}}},
        }
        return Experiment(**fields | changes)

    return experiment


@pytest.fixture
def sets(tmp_path):
    from tfs.train.run_library import Library
    from tfs.train.run_set import RunSets
    from tfs.train.worker import Slots

    return RunSets(Library(tmp_path, slots=Slots(1)))


def wait(sets, name: str) -> None:
    deadline = time.monotonic() + SECONDS
    while sets.entry(name).is_going_on:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_gives_what_the_command_line_gives(sets, tiny, tmp_path, one_thread) -> None:
    from tfs.train.conduct import conduct

    name = sets.begin(tiny(seeds=(0, 1)), "me")
    wait(sets, name)
    here = sets.outcomes(name)
    there = conduct(tiny(seeds=(0, 1)), tmp_path / "elsewhere", say=lambda text: None)
    assert here == there and [len(each.seeds) for each in here] == [2, 2]
    assert not sets.entry(name).why_not
    assert {each.state for each in sets.run_library.entries("me")} == {"finished"}


def test_only_one_of_its_runs_stands_in_the_queue(sets, tiny) -> None:
    """Somebody else's run that comes later has its turn before the experiment's second one."""
    base = tiny().base
    long = dataclasses.replace(base, train=dataclasses.replace(base.train, steps=400))
    name = sets.begin(tiny(base=long), "me")
    while not sets.entry(name).begun:
        time.sleep(0.01)
    other = sets.run_library.start(base, "somebody")
    other.thread.join(SECONDS)
    assert other.status().state == "finished" and sets.entry(name).is_going_on
    sets.stop(name)
    wait(sets, name)


def test_stopped_and_gone_on_with_after_a_restart(sets, tiny, one_thread) -> None:
    from tfs.train.run_library import Library
    from tfs.train.run_set import RunSets

    base = tiny().base
    long = dataclasses.replace(base, train=dataclasses.replace(base.train, steps=300))
    name = sets.begin(tiny(base=long), "me")
    while not sets.run_library.entries("me") or sets.run_library.entries("me")[0].step < 3:
        time.sleep(0.01)
    sets.stop(name)
    wait(sets, name)
    assert sets.run_library.entries("me")[0].state == "stopped" and len(sets.entry(name).begun) == 1
    again = RunSets(Library(sets.run_library.root, slots=sets.run_library.slots))
    assert not again.entry(name).is_going_on
    with pytest.raises(ValueError, match="only who began"):
        again.go_on(name, "somebody")
    again.go_on(name, "me")
    wait(again, name)
    assert [each.state for each in again.run_library.entries("me")] == ["finished"] * 2
    assert len(again.outcomes(name)[0].curves["held-out loss"][0][0]) == 150


def test_a_first_stage_is_trained_once_for_a_seed_and_gone_on_from(sets, tiny) -> None:
    begins = {"new": {"begin_at": 0}, "old": {"begin_at": "last"}}
    stage = tiny(axes={"begins": begins}, before=tiny().base, base=tiny().base)
    name = sets.begin(stage, "me")
    wait(sets, name)
    assert not sets.entry(name).why_not
    entries = sets.run_library.entries("me")
    assert len(entries) == 3
    parents = {each.parent for each in entries}
    (origin,) = {parent[0] for parent in parents if parent}
    assert parents == {None, (origin, 0), (origin, 6)}


def test_what_stops_it_is_said_and_nothing_is_lost(sets, tiny) -> None:
    sets.run_library.budget = 1
    name = sets.begin(tiny(), "me")
    wait(sets, name)
    assert "there is no room for this run" in sets.entry(name).why_not
    sets.run_library.budget = 2**30
    sets.go_on(name, "me")
    wait(sets, name)
    assert not sets.entry(name).why_not and len(sets.entry(name).begun) == 2


def test_sets_are_their_owners_and_names_are_no_paths(sets, tiny) -> None:
    name = sets.begin(tiny(), "me")
    wait(sets, name)
    assert [each.name for each in sets.entries("me")] == [name] and not sets.entries("you")
    for nonsense in ("set-0000000000000000", "../../etc/passwd", ""):
        with pytest.raises(ValueError, match="there is no experiment"):
            sets.entry(nonsense)


def test_a_run_that_was_deleted_is_left_out(sets, tiny) -> None:
    name = sets.begin(tiny(), "me")
    wait(sets, name)
    sets.run_library.delete(sets.entry(name).begun[0])
    first, second = sets.outcomes(name)
    assert not first.seeds and second.seeds == [0]
