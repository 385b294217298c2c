"""A run of any task opens on every page with a prompt that it can read, and that suits it."""

import pytest

PAGES = ["pages/read/attention.py", "pages/read/tokens.py", "pages/inspect/lens.py"]
SMALL = {
    "mirror": {"d_vocab": 9, "n_ctx": 4},
    "induction": {"d_vocab": 12, "n_ctx": 10, "shortest": 3, "longest": 4},
    "copy": {"length": 3},
    "sort": {"symbols": 9, "length": 3},
    "addition": {},
    "modular-addition": {"p": 7},
    "brackets": {},
    "ioi": {},
    "text": {"n_ctx": 16},
}


@pytest.fixture
def run(tmp_path):
    """run(task) -> the name of a run of it, with random weights."""
    import tfs
    from tfs.train.recipe import Recipe, save_recipe

    def make(task):
        model = {"n_layers": 1, "d_model": 8, "d_head": 4, "n_heads": 2}
        recipe = Recipe.from_dict({"task": {"name": task, **SMALL[task]}, "model": model})
        directory = tmp_path / "run-0123456789abcdef"
        tokenizer = recipe.make_task().tokenizer
        tfs.save(tfs.Bundle(tfs.DecoderOnly(recipe.model), tokenizer, "# small\n"), directory)
        save_recipe(recipe, directory)
        return directory.name

    return make


@pytest.mark.parametrize("task", SMALL)
def test_every_task_has_an_example_of_its_own(visit, run, task) -> None:
    from tfs.tasks import TASKS

    assert set(SMALL) == set(TASKS)
    name = run(task)
    for page in PAGES:
        at = visit(page, model=name)
        assert not at.exception and not at.error, page
        assert at.session_state["prompt"].strip()


def test_a_change_of_model_brings_its_example_and_takes_it_away_again(visit, run) -> None:
    name = run("addition")
    at = visit(PAGES[0], model=name)
    example = at.session_state["prompt"]
    assert "+" in example and "=" in example
    at = at.selectbox(key="model").set_value("mirror").run()
    assert at.session_state["prompt"].startswith("41 7 93") and not at.error
    at = at.selectbox(key="model").set_value(name).run()
    assert at.session_state["prompt"] == example and not at.error
