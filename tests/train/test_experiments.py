"""The ready-made experiments, and the command that does one."""

import dataclasses
import json
import re

import pytest

from tests.train.test_experiment import AXES, FIELDS

NAMES = [
    "positions",
    "grokking",
    "attention-scale",
    "residual",
    "induction-depth",
    "digits",
    "finetuning",
]


@pytest.fixture(scope="module")
def experiments():
    from tfs.train.experiments import EXPERIMENTS

    assert list(EXPERIMENTS) == NAMES
    return EXPERIMENTS


@pytest.mark.parametrize("name", NAMES)
def test_each_asks_a_question_and_survives_json(experiments, name) -> None:
    experiment = experiments[name]
    assert experiment.question.endswith("?") and experiment.look_for
    fields = json.loads(json.dumps(experiment.to_dict()))
    assert type(experiment).from_dict(fields) == experiment


@pytest.mark.parametrize("name", NAMES[:-1])
def test_every_run_begins(experiments, name) -> None:
    """The model of each combination can read its task, and takes one step."""
    import tfs
    from tfs.train.branch import begin

    runs = experiments[name].runs()
    for run in {tuple(run.labels.items()): run for run in runs}.values():
        task = run.recipe.make_task()
        assert (task.d_vocab, task.n_ctx) == (run.recipe.model.d_vocab, run.recipe.model.n_ctx)
        config = dataclasses.replace(run.recipe.train, steps=1, warmup_steps=0, eval_size=8)
        (report,) = tfs.train(begin(run.recipe.kind(task), task, None), task, config)
        assert report.held_out.loss > 0


@pytest.mark.slow
def test_finetuning_reads_its_text_with_the_first_stages_tokenizer(experiments, tmp_path) -> None:
    import tfs
    from tfs.train.conduct import conduct

    def short(recipe):
        return dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, steps=2))

    whole = experiments["finetuning"]
    few = dataclasses.replace(whole, base=short(whole.base), before=short(whole.before))
    outcomes = conduct(few, tmp_path, lambda text: None)
    assert [outcome.seeds for outcome in outcomes] == [[0], [0], [0]]
    folders = ["first-stage-seed-0", *(run.folder for run in few.runs())]
    read = [tfs.load(tmp_path / folder).tokenizer.encode("Speak, speak.") for folder in folders]
    assert len(read) == 4 and all(tokens == read[0] for tokens in read)


def test_the_command_does_an_experiment_from_a_file(tmp_path, capsys) -> None:
    from tfs.train.conduct import main

    path = tmp_path / "mine.json"
    path.write_text(json.dumps(FIELDS | {"axes": {"positions": AXES["positions"]}, "seeds": [0]}))
    assert main([str(path), "--out", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr().out
    assert "Does it work?" in said and "tiny: none, seed 0: 6 steps" in said
    assert said.count("held-out loss") == 2 and said.count("first step") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no experiment '.*mine.json'; give a JSON file, or one of: positions"),
        ("{", "mine.json: Expecting"),
        ("{}", "mine.json: an experiment needs 'name'"),
    ],
)
def test_the_command_refuses_in_one_sentence(tmp_path, capsys, text, message) -> None:
    from tfs.train.conduct import main

    path = tmp_path / "mine.json"
    if text is not None:
        path.write_text(text)
    assert main([str(path), "--out", str(tmp_path / "runs")]) == 2
    error = capsys.readouterr().err

    assert re.search(message, error) and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()
