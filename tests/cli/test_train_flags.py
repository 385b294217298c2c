"""Every option of a recipe as a flag or in a file; which of them wins; and how mistakes end."""

import json

import pytest

MIRROR = ["train", "mirror", "--steps", "1"]


@pytest.fixture
def main():
    from tfs.__main__ import main

    return main


@pytest.fixture
def printed(main, capsys):
    """What --print-config prints, as a dict."""

    def run(*arguments):
        assert main(["train", *map(str, arguments), "--print-config"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(main, capsys):
    """The one sentence that a mistake ends in."""

    def run(*arguments):
        assert main(["train", *map(str, arguments)]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.startswith("tfs: ")
        assert captured.err.count("\n") == 1 and "\r" not in captured.err
        return captured.err

    return run


def test_every_field_has_a_flag_and_a_meaning(main, capsys) -> None:
    from tfs.model import TransformerConfig
    from tfs.model.config import ACT_FNS, DTYPES
    from tfs.train.config import PRECISIONS, SCHEDULES, TrainConfig
    from tfs.train.fields import fields_of

    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    fields = {field.name: field for c in (TransformerConfig, TrainConfig) for field in fields_of(c)}
    for name, field in fields.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert field.meaning, name
        assert name == "seed" or " ".join(field.meaning.split()) in words, name
    for name, values in (
        ("act_fn", ACT_FNS),
        ("schedule", SCHEDULES),
        ("precision", PRECISIONS),
        ("dtype", DTYPES),
    ):
        assert all(value in fields[name].meaning for value in values), name
    assert "--attn-only, --no-attn-only" in shown and "--grad-clip NUMBER|none" in shown


def test_a_flag_beats_the_file_and_the_file_the_recipe(printed, tmp_path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model": {"n_layers": 2}, "train": {"lr": 0.5, "steps": 7}}))
    got = printed("mirror", "--config", file, "--lr", "0.25", "--grad-clip", "none", "--attn-only")
    assert (got["model"]["n_layers"], got["model"]["attn_only"]) == (2, True)
    assert (got["train"]["lr"], got["train"]["steps"]) == (0.25, 7)
    assert got["train"]["grad_clip"] is None and got["train"]["batch_size"] == 64


def test_flags_of_every_kind(printed) -> None:
    got = printed(
        *("mirror", "--normalization-type", "none", "--positional-embedding-type", "none"),
        *("--no-use-attn-scale", "--betas", 0.8, 0.9, "--warmup-steps", 0, "--seed", 5),
        *("--target-loss", 3.5, "--d-mlp", 99, "--dtype", "float64", "--eps", "1e-4"),
    )
    model, train = got["model"], got["train"]
    assert model["normalization_type"] is None and model["positional_embedding_type"] == "none"
    assert model["use_attn_scale"] is False and model["eps"] == 1e-4
    assert (model["d_mlp"], model["dtype"], model["seed"], train["seed"]) == (99, "float64", 5, 5)
    assert train["betas"] == [0.8, 0.9] and train["warmup_steps"] == 0
    assert train["target_loss"] == 3.5


def test_sizes_that_follow_from_others_follow_them(printed) -> None:
    model = printed("mirror", "--d-model", 128, "--d-head", 64)["model"]
    assert (model["n_heads"], model["d_mlp"], model["attn_scale"]) == (2, 512, 8.0)


def test_sizes_follow_the_task_unless_given(printed) -> None:
    addition = printed("addition", "--task-option", "digits=2", "reversed=false")
    assert (addition["model"]["n_ctx"], addition["model"]["d_vocab"]) == (9, 12)
    assert addition["task"] == {"name": "addition", "digits": 2, "reversed": False}
    given = printed("addition", "--task-option", "digits=2", "--n-ctx", 20, "--d-vocab", 30)
    assert (given["model"]["n_ctx"], given["model"]["d_vocab"]) == (20, 30)


def test_a_task_alone_takes_the_first_recipe_of_it(printed) -> None:
    assert printed("--task", "sort")["name"] == "sort"
    text = printed("--task", "text", "--task-option", "tokenizer=bpe", "d_vocab=300", "n_ctx=16")
    assert text["name"] == "prose"
    assert (text["model"]["d_vocab"], text["model"]["n_ctx"]) == (300, 16)


def test_what_is_printed_can_be_given_back(printed, tmp_path) -> None:
    first = printed("sort", "--task-option", "length=5", "--n-layers", 2, "--steps", 50)
    (tmp_path / "mine.json").write_text(json.dumps(first))
    again = printed("--config", tmp_path / "mine.json")
    for costs in (first.pop("costs"), again.pop("costs")):
        assert costs["tokens"] == 50 * costs["tokens_per_update"] == 50 * 64 * 11
        assert costs["seconds"] == pytest.approx(50 * costs["seconds_per_update"])
    assert first == again
    assert first["about"] == "The recipe sort with length = 5, n_layers = 2, n_ctx = 11."


def test_a_run_holds_its_recipe_and_goes_on_by_it(main, tmp_path, capsys) -> None:
    from tfs.train.recipe import read_recipe

    out = ["--out", str(tmp_path / "run")]
    changed = ["--n-layers", "2", "--task-option", "n_ctx=8", "--batch-size", "8"]
    assert main([*MIRROR, *changed, *out]) == 0
    recipe = read_recipe(tmp_path / "run")
    assert (recipe.model.n_layers, recipe.model.n_ctx, recipe.train.batch_size) == (2, 8, 8)
    card = (tmp_path / "run" / "README.md").read_text()
    assert "The recipe mirror with n_ctx = 8, n_layers = 2." in card
    assert "`python -m tfs train mirror --task-option n_ctx=8 --n-layers 2 --n-ctx 8" in card
    assert main(["train", "--resume", *out, "--steps", "3"]) == 0
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 3
    assert read_recipe(tmp_path / "run").train.steps == 3
    capsys.readouterr()
    assert main([*MIRROR, *changed[:2], "--task-option", "d_vocab=90", *out, "--resume"]) == 2
    assert "the run in" in capsys.readouterr().err


def test_the_command_on_a_card_makes_the_same_recipe(printed) -> None:
    import shlex

    from tfs.cli.flags import command_for
    from tfs.train.recipe import Recipe
    from tfs.train.recipes import RECIPES

    arguments = ["addition", "--task-option", "reversed=false", "--no-attn-only", "--lr", "0.5"]
    first = printed(*arguments, "--grad-clip", "none", "--betas", 0.5, 0.75, "--use-attn-result")
    first.pop("costs")
    recipe = Recipe.from_dict(first)
    command = shlex.split(command_for(recipe, RECIPES["addition"]))
    assert command[:4] == ["python", "-m", "tfs", "train"] and "--use-attn-result" in command
    again = printed(*command[4:])
    again.pop("costs")
    assert again == first


def test_text_from_a_file_through_each_tokenizer(printed, tmp_path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("the cat sat on the mat and the rat sat on the cat; " * 200)
    small = ["--batch-size", 2, "--text", file, "--n-layers", 1]
    letters = printed("prose", *small)
    assert letters["task"] == {"name": "text", "corpus": str(file)}
    assert letters["model"]["d_vocab"] == len(set(file.read_text()))
    assert printed("induction", *small)["task"]["tokenizer"] == "bpe"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "there is nothing to train: name a recipe, a task with --task, or a file"),
        (["--task", "nothing"], "there is no task 'nothing'; the tasks are addition"),
        (["mirror", "--task-option", "digits"], "takes NAME=VALUE, as in digits=2, not 'digits'"),
        (["mirror", "--task-option", "digits=2"], "has no option 'digits'; it has: d_vocab, n_ctx"),
        (["addition", "--task-option", "digits=two"], "must be of type int, not 'two'"),
        (["addition", "--task-option", "reversed=no"], "must be of type bool, not 'no'"),
        (["mirror", "--n-layers", "0"], "--n-layers: give a whole number from 1"),
        (["mirror", "--n-layers", "none"], "--n-layers: give a whole number from 1"),
        (["mirror", "--lr", "fast"], "--lr: give a finite number, not 'fast'"),
        (["mirror", "--lr", "nan"], "--lr: give a finite number, not 'nan'"),
        (["mirror", "--lr=-1"], "lr must be a finite number above 0, not -1.0"),
        (["mirror", "--act-fn", "tanh"], "act_fn must be one of relu, gelu, gelu_new, silu, not"),
        (["mirror", "--act", "relu"], "unrecognized arguments: --act relu"),
        (["mirror", "--n-ctx", "8"], "d_vocab = 100 and n_ctx = 16, more than the model's 100 and"),
        (["mirror", "--accumulate", "65"], "accumulate must be at most batch_size = 64, not 65"),
        (["mirror", "--compile", "--dropout", "0.1"], "compile does not go with dropout"),
        (["mirror", "--device", "tpu"], "choose from 'cpu', 'cuda', 'auto'"),
        (["mirror", "--d-model", "1000000", "--n-heads", "1"], "make it smaller"),
        (["mirror", "--text", "{0}/none.txt"], "there is no file {0}/none.txt"),
        (["prose", "--text", "{0}/none.txt"], "there is no file {0}/none.txt"),
        (["mirror", "--config", "{0}/none.json"], "there is no file {0}/none.json"),
        (["mirror", "--config", "{0}"], "there is no file {0}"),
        (["--resume", "--out", "{0}"], "{0} holds no recipe.json, so it is not a run"),
    ],
)
def test_mistakes_are_refused_before_anything_is_written(refused, tmp_path, arguments, says):
    given = [argument.format(tmp_path) for argument in arguments]
    out = [] if "--out" in given else ["--out", tmp_path / "out"]
    assert says.format(tmp_path) in refused(*given, *out)
    assert not any(tmp_path.iterdir())


def test_a_gpu_that_is_not_there_is_refused(refused, tmp_path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert "finds no GPU of its own: there are 0" in refused(
        "mirror", "--device", "cuda", "--out", tmp_path / "out"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("[1]", "must hold a JSON object, not [1]"),
        ('{"train": 3}', "train in {0}/c.json must be a JSON object"),
        ('{"train": {"steps": 1.5}}', "steps must be a whole number, not 1.5"),
        ('{"train": {"steps": true}}', "steps must be a whole number, not True"),
        ('{"train": {"lr": "0.1"}}', "lr must be a finite number, not '0.1'"),
        ('{"train": {"lr": NaN}}', "lr must be a finite number, not nan"),
        ('{"train": {"betas": [0.9]}}', "betas must be two numbers, not [0.9]"),
        ('{"train": {"momentum": 1}}', "unknown training field: momentum"),
        ('{"model": {"attn_only": "yes"}}', "attn_only must be true or false, not 'yes'"),
        ('{"model": {"n_layers": null}}', "n_layers must be a whole number, not None"),
        ('{"model": {"dtype": 7}}', "dtype must be a word, not 7"),
        ('{"model": {"seed": 1e99}}', "seed must be a whole number or none, not 1e+99"),
        ('{"model": {"width": 7}}', "unknown config field: width"),
        ('{"modle": {}}', "has no part called 'modle'"),
        ('{"name": 3}', "a recipe's name must be text, not 3"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(refused, tmp_path, content, says) -> None:
    (tmp_path / "c.json").write_text(content)
    said = refused("mirror", "--config", tmp_path / "c.json", "--out", tmp_path / "out")
    assert says.format(tmp_path) in said
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
