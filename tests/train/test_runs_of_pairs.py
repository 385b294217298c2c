"""Runs of every architecture are stopped, resumed, branched, packed and deleted as others are."""

import dataclasses

import pytest

from tests.train.waiting import finished, wait_until

NAMES = ["dates", "masked-words", "tags", "question-pairs"]
ANIMALS = "cat dog bird fish goat mouse horse cow".split()
PAIRS = "".join(f"{animal} {n}\t{n} {animal[::-1]}\n" for animal in ANIMALS for n in range(5))
SMALL = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_head": 8, "d_mlp": 32, "seed": 0}
TRAIN = {"batch_size": 4, "eval_size": 4, "eval_every": 3, "warmup_steps": 1}


@pytest.fixture
def tiny():
    """tiny(task, steps=..., **options): the smallest recipe of a task."""
    from tfs.train.recipe import Recipe

    def make(task, steps=6, **options):
        fields = {"task": {"name": task, **options}, "train": TRAIN | {"steps": steps}}
        sizes = {"d_vocab": 8000, "n_ctx": 64} if task == "parallel" else {}
        return Recipe.from_dict(fields | {"model": SMALL | sizes})

    return make


def weights(library, name):
    from tfs.train.checkpoint import load

    return load(library.root / name).model.state_dict()


@pytest.mark.slow
@pytest.mark.parametrize("task", NAMES)
def test_a_run_is_stopped_resumed_and_ends_as_if_it_never_stopped(library, tiny, task) -> None:
    whole = finished(library.start(tiny(task, 8), "key"))
    job = library.start(tiny(task, 8), "key")
    wait_until(lambda: job.status().step >= 1)
    job.stop()
    job.thread.join(20)
    name = job.directory.name
    if library.entry(name).state == "stopped":
        finished(library.resume(name))
    for key, weight in weights(library, whole).items():
        assert weight.equal(weights(library, name)[key]), key


@pytest.mark.slow
@pytest.mark.parametrize("task", NAMES)
def test_a_run_is_branched_packed_brought_in_and_deleted(library, tiny, task) -> None:
    name = finished(library.start(tiny(task), "key"))
    branch = library.start(tiny(task, 2), "key", parent=(name, 4))
    assert library.entry(finished(branch)).parent == (name, 4)
    again = library.import_(library.export(name), "other key")
    entry = library.entry(again)
    assert (entry.state, entry.step) == ("finished", 6)
    for key, weight in weights(library, name).items():
        assert weight.equal(weights(library, again)[key]), key
    library.delete(name)
    assert [each.name for each in library.entries("other key")] == [again]


def test_another_architecture_is_no_parent(library, tiny) -> None:
    name = finished(library.start(tiny("masked-words", 2), "key"))
    with pytest.raises(ValueError, match="of the kind encoder-only, and the new one encoder-dec"):
        library.start(tiny("dates"), "key", parent=(name, 2))


def test_a_file_of_pairs_is_kept_with_its_run_and_its_branches(library, tiny) -> None:
    from tfs.train.recipe import read_recipe

    job = library.start(tiny("parallel", 4), "key", text=PAIRS)
    name = finished(job)
    assert (job.directory / "text.txt").read_text() == PAIRS
    recipe = read_recipe(job.directory)
    assert recipe.task_options["path"] == "text.txt"
    assert recipe.model.d_vocab == job.task.d_vocab < 40
    branch = library.start(recipe, "key", parent=(name, 4))
    finished(branch)
    assert (branch.directory / "text.txt").read_text() == PAIRS
    brought_in = library.import_(library.export(name), "key")
    finished(library.start(recipe, "key", parent=(brought_in, 2)))
    other = library.start(recipe, "key", parent=(name, 4), text=PAIRS + "cat 9\t9 tac\n")
    finished(other)
    assert other.task.tokenizer.str_tokens("cat 9") == ["cat", "<unk>"]


def test_a_file_of_pairs_resumes_where_it_stopped(library, tiny) -> None:
    job = library.start(tiny("parallel", 3000), "key", text=PAIRS)
    wait_until(lambda: job.status().step >= 2)
    job.stop()
    job.thread.join(20)
    stopped = library.entry(job.directory.name).step
    again = library.resume(job.directory.name)
    wait_until(lambda: again.status().step > stopped)
    assert again.task.tokenizer.d_vocab == job.task.tokenizer.d_vocab


def test_no_file_of_the_server_is_read_as_pairs(library, tiny, tmp_path) -> None:
    (tmp_path / "secret").write_text(PAIRS)
    recipe = tiny("parallel")
    for path in (str(tmp_path / "secret"), "../secret", ""):
        asked = dataclasses.replace(recipe, task_options={"path": path})
        with pytest.raises(ValueError, match=r"which is not here; give its text$"):
            library.start(asked, "key")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cat\tone\n" * 20, "fewer than 10 different sources"),
        (PAIRS + "no tab here\n", "line 41 of text.txt has 0 tabs instead of one"),
        (PAIRS + "a\t\n", "line 41 of text.txt has no target"),
        (PAIRS + "a " * 70 + "\tb\n", "line 41 of text.txt takes 70 tokens and n_ctx is 64"),
    ],
)
def test_a_file_that_is_none_of_pairs_leaves_nothing(library, tiny, text, says) -> None:
    with pytest.raises(ValueError, match=says):
        library.start(tiny("parallel"), "key", text=text)
    assert not list(library.root.iterdir())


def test_room_is_asked_for_by_the_parameters_of_the_model(library, tiny) -> None:
    from tfs.train.entry import bytes_to_come
    from tfs.train.schedule import snapshot_steps

    recipe = tiny("dates")
    model = recipe.kind(recipe.make_task()).make()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    copies = len(snapshot_steps(recipe.train)) + 2 * 3
    assert bytes_to_come(model, recipe.train) == 4 * parameters * copies
    library.budget = 4 * parameters
    with pytest.raises(ValueError, match="there is no room for this run"):
        library.start(recipe, "key")
