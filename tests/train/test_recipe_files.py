"""A recipe as data: to a file and back, filled up from another, and refused in one sentence."""

import json

import pytest


@pytest.fixture(scope="module")
def recipes():
    from tfs.train.recipes import RECIPES

    return RECIPES


def test_every_recipe_survives_a_file(recipes, tmp_path) -> None:
    from tfs.train.recipe import read_recipe, save_recipe

    for recipe in recipes.values():
        save_recipe(recipe, tmp_path)
        assert read_recipe(tmp_path) == recipe


def test_what_is_left_out_comes_from_the_base(recipes) -> None:
    from tfs.train.recipe import Recipe

    base = recipes["addition-forwards"]
    changed = Recipe.from_dict({"train": {"steps": 7}, "model": {"n_layers": 1}}, base)
    assert changed.train.steps == 7 and changed.train.lr == base.train.lr
    assert changed.model.n_layers == 1 and changed.model.d_model == base.model.d_model
    assert changed.task_options == {"reversed": False}


def test_the_sizes_follow_the_task(recipes) -> None:
    from tfs.train.recipe import Recipe

    base = recipes["addition-forwards"]
    wider = Recipe.from_dict({"task": {"name": "addition", "digits": 2}}, base)
    assert wider.task_options == {"digits": 2, "reversed": False}
    assert wider.model.n_ctx == wider.make_task().n_ctx == 9
    other = Recipe.from_dict({"task": {"name": "sort", "symbols": 9, "length": 3}}, base)
    assert (other.model.d_vocab, other.model.n_ctx) == (10, 7)
    assert dict(other.task_options) == {"symbols": 9, "length": 3}


def test_a_recipe_without_a_base_needs_only_task_and_size() -> None:
    from tfs.train.recipe import Recipe

    recipe = Recipe.from_dict(
        {"task": {"name": "mirror"}, "model": {"n_layers": 1, "d_model": 8, "d_head": 4}}
    )
    assert (recipe.name, recipe.model.d_vocab, recipe.model.n_ctx) == ("mirror", 100, 16)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "a recipe must be a JSON object"),
        ({"task": "mirror"}, "task must be a JSON object"),
        ({}, "a recipe needs a task"),
        ({"modle": {}}, "no part called 'modle'"),
        ({"task": {"name": "mirrors"}}, "there is no task 'mirrors'"),
        ({"task": {"name": "mirror", "n": 3}}, "has no option 'n'; it has: d_vocab, n_ctx, start"),
        ({"task": {"name": "mirror", "n_ctx": "16"}}, "n_ctx of mirror must be of type int"),
        ({"task": {"name": "mirror", "n_ctx": 7}}, "n_ctx must be even"),
        ({"task": {"name": "mirror"}, "model": {"d_modl": 1}}, "unknown config field: d_modl"),
        ({"task": {"name": "text", "corpus": "/no/where"}}, "there is no file /no/where"),
    ],
)
def test_what_cannot_be_a_recipe_is_named(fields, message) -> None:
    from tfs.train.recipe import Recipe

    with pytest.raises(ValueError, match=message):
        Recipe.from_dict(fields)


def test_a_directory_without_a_recipe_and_one_with_a_damaged_recipe(tmp_path) -> None:
    from tfs.train.recipe import read_recipe

    with pytest.raises(ValueError, match="holds no recipe.json"):
        read_recipe(tmp_path)
    for text in ("{", json.dumps({"task": {"name": "mirror"}, "train": {"steps": "many"}})):
        (tmp_path / "recipe.json").write_text(text)
        with pytest.raises(ValueError, match="is damaged or not a recipe"):
            read_recipe(tmp_path)


def test_text_is_a_task_by_corpus_and_tokenizer(tmp_path) -> None:
    from tfs.tasks import make_task

    prose = make_task("text", {"n_ctx": 32})
    assert prose.name == "prose" and prose.sample(2, 0).tokens.shape == (2, 32)
    (tmp_path / "mine.txt").write_text("ab ba " * 200)
    for tokenizer, size in (("characters", 3), ("bpe", 257)):
        options = {"corpus": "mine.txt", "tokenizer": tokenizer, "n_ctx": 8, "d_vocab": 257}
        task = make_task("text", options, tmp_path)
        assert task.d_vocab == size and task.name == "mine.txt"
    with pytest.raises(ValueError, match="tokenizer must be one of characters, bpe, gpt2"):
        make_task("text", {"tokenizer": "words"})


def test_our_own_prose_is_the_words_of_readme_pages_and_code() -> None:
    import tfs.tasks.corpus as corpus

    text = corpus.own_prose()
    assert text.startswith("# A Transformer you can open")
    assert corpus.own_prose.__doc__.split("\n")[0] in text
    assert (corpus.HOME / "assets/prose/masks.md").read_text().strip() in text
    assert "def own_prose" not in text and len(text) > 50_000
