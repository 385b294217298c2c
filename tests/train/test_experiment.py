"""An experiment as data: its runs, what is refused, and what comes out, the same every time."""

import dataclasses
import json
import math

import pytest

TRAIN = {"steps": 6, "batch_size": 4, "warmup_steps": 1, "eval_every": 2, "eval_size": 16}
BASE = {
    "task": {"name": "mirror", "d_vocab": 6, "n_ctx": 4},
    "model": {"n_layers": 1, "d_model": 8, "d_head": 4},
    "train": TRAIN,
}
NONE = {"model": {"positional_embedding_type": "none"}}
AXES = {
    "positions": {"learned": {}, "none": NONE},
    "length": {"short": {}, "long": {"task": {"n_ctx": 6}}},
}
FIELDS = {"name": "tiny", "question": "Does it work?", "base": BASE, "axes": AXES, "seeds": [3, 5]}


@pytest.fixture
def make():
    from tfs.train.experiment import Experiment

    return lambda **fields: Experiment.from_dict(FIELDS | fields)


def test_the_runs_are_the_product_of_axes_and_seeds(make) -> None:
    runs = make().runs()
    told = [(*run.labels.values(), run.seed) for run in runs]
    assert told == [
        (positions, length, seed)
        for positions in ("learned", "none")
        for length in ("short", "long")
        for seed in (3, 5)
    ]
    assert runs[0].labels == {"positions": "learned", "length": "short"}
    for run in runs:
        cfg, train = run.recipe.model, run.recipe.train
        assert (cfg.seed, train.seed, train.steps) == (run.seed, run.seed, 6)
        assert cfg.n_ctx == run.recipe.make_task().n_ctx == 4 + 2 * (run.labels["length"] == "long")
        assert (cfg.positional_embedding_type == "none") == (run.labels["positions"] == "none")
    assert runs[-1].recipe.name == "tiny: none, long, seed 5"
    assert len({run.folder for run in runs}) == 8 and runs[-1].folder == "07-none-long-seed-5"


def test_it_survives_json_and_a_base_may_be_a_name(make) -> None:
    from tfs.train.recipes import RECIPES

    experiment = make(base="induction", axes={"layers": AXES["positions"]}, before="induction")
    assert experiment.base == RECIPES["induction"] == experiment.before
    again = type(experiment).from_dict(json.loads(json.dumps(experiment.to_dict())))
    assert again == experiment


BAD = [
    ({"axes": {}}, "the experiment tiny has no axis"),
    ({"axes": {"empty": {}}}, "the axis 'empty' has no choice; give it one or more"),
    ({"axes": {"a": [1]}}, "the axis 'a' must be a JSON object"),
    ({"axes": {"a": {"x": 3}}}, "the choice 'x' of 'a' must be a JSON object, not 3"),
    ({"axes": {"a": {"x": {"modle": {}}}}}, "'x' of 'a' has no part 'modle'; it may set task"),
    ({"axes": {"a": {"x": {"name": "z"}}}}, "'x' of 'a' has no part 'name'"),
    (
        {"axes": {"a": {"x": NONE}, "b": {"y": NONE}}},
        "the axes 'a' and 'b' both set model.positional_embedding_type; give it to one",
    ),
    ({"axes": {"a": {"x": {"train": {"seed": 4}}}}}, "the axis 'a' sets train.seed; list seeds"),
    ({"axes": {"a": {"x": NONE, "y": NONE}}}, "tiny: y and x are the same run; take one away"),
    ({"axes": {"a": {"x": {"model": {"d_modl": 3}}}}}, "tiny, x: .*d_modl"),
    ({"axes": {"a": {"x": {"task": {"n_ctx": 5}}}}}, "tiny, x: n_ctx must be even"),
    ({"axes": {"a": {"x" * 80: {}}}}, "has more than 80 characters; choose shorter names"),
    ({"axes": {"a": {"x": {"begin_at": 0}}}}, "the axis 'a' says \"begin_at\", but nothing comes"),
    (
        {"axes": {"a": {"x": {"begin_at": 5}}}, "before": BASE},
        "tiny, x: step 5 of the first stage is not kept; those that are: 0, 1, 2, 3, 4, 6",
    ),
    ({"seeds": []}, "seeds must be one or more different whole numbers"),
    ({"seeds": [1, 1]}, "seeds must be one or more different whole numbers"),
    ({"seeds": [-1]}, "seeds must be a list of whole numbers from 0"),
    ({"seeds": list(range(16))}, "tiny would be 64 runs, more than 60; take away seeds"),
    ({"base": "mirrors"}, "base must be a recipe or the name of one, .* 'mirrors'"),
    ({"base": {}}, "base: a recipe needs a task"),
    ({"question": 3}, "question must be text, not 3"),
    ({"threshold": 99}, "threshold must lie above 0 and be at most 1, not 99"),
    ({"hope": ""}, "an experiment has no field 'hope'"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_what_cannot_be_an_experiment_is_named(make, fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        make(**fields)


def test_what_is_missing_is_named() -> None:
    from tfs.train.experiment import Experiment

    with pytest.raises(ValueError, match="an experiment must be a JSON object"):
        Experiment.from_dict([])
    with pytest.raises(ValueError, match="an experiment needs 'axes'"):
        Experiment.from_dict({key: FIELDS[key] for key in ("name", "question", "base")})


def test_the_same_experiment_gives_the_same_numbers_bit_for_bit(make, tmp_path) -> None:
    from tfs.train.conduct import conduct

    experiment, said = make(), []
    first, second = (conduct(experiment, tmp_path / name, said.append) for name in "ab")
    assert first == second and len(said) == 16
    assert len(first) == 4 and first[0].seeds == [3, 5]
    one, other = first[0].curves["held-out loss"]
    assert one[0] == other[0] == [2, 4, 6] and one[1] != other[1]
    assert first[0].curves["held-out loss"] != first[2].curves["held-out loss"]


def test_a_broken_off_experiment_goes_on_where_it_was(make, tmp_path) -> None:
    from itertools import islice

    import tfs
    from tfs.train.conduct import conduct

    experiment = make(seeds=[3], axes={"positions": AXES["positions"]})
    whole = conduct(experiment, tmp_path / "whole", lambda text: None)
    run = experiment.runs()[0]
    model = tfs.DecoderOnly(run.recipe.model)
    half = tmp_path / "half" / run.folder
    config = dataclasses.replace(run.recipe.train, save_every=2)
    list(islice(tfs.train(model, run.recipe.make_task(), config, half), 3))
    assert conduct(experiment, tmp_path / "half", lambda text: None) == whole
    logged = (half / "metrics.jsonl").read_text()
    conduct(experiment, tmp_path / "half", lambda text: None)
    assert (half / "metrics.jsonl").read_text() == logged, "what is done is not done again"
    assert tfs.load(half).card.startswith("# tiny: learned, seed 3")


def test_what_an_earlier_version_left_is_not_taken_for_this_one(make, tmp_path) -> None:
    from tfs.train.conduct import conduct

    axes = {"positions": AXES["positions"]}
    conduct(make(seeds=[3], axes=axes), tmp_path, lambda text: None)
    base = BASE | {"train": BASE["train"] | {"lr": 0.5}}
    with pytest.raises(ValueError, match="holds a run of another recipe"):
        conduct(make(seeds=[3], axes=axes, base=base), tmp_path, lambda text: None)


def test_runs_that_go_on_from_a_first_stage(make, tmp_path) -> None:
    import torch

    import tfs
    from tfs.train.conduct import conduct

    choices = {"own": {}, "random": {"begin_at": 0}, "trained": {"begin_at": "last"}}
    experiment = make(axes={"begins": choices}, before=BASE, seeds=[3])
    own, random, trained = experiment.runs()
    assert own.before is None and random.before == trained.before
    assert random.begin_at == 0 and trained.begin_at == 6
    outcomes = conduct(experiment, tmp_path, lambda text: None)
    first = tfs.load(tmp_path / "first-stage-seed-3")
    for run, step in ((random, 0), (trained, 6)):
        begun = tfs.load(tmp_path / run.folder).at_step(0)
        for name, weight in first.at_step(step).named_parameters():
            assert torch.equal(weight, begun.get_parameter(name)), name
    ends = [outcome.last["held-out loss"].mean for outcome in outcomes]
    assert ends[0] == ends[1] != ends[2], "step 0 of the same seed is the same random model"


def write_run(directory, run, accuracies, **more) -> None:
    from tfs.model import Kind
    from tfs.train.checkpoint import write_config

    directory.mkdir()
    write_config(Kind(run.recipe.model), directory)
    with (directory / "metrics.jsonl").open("w") as file:
        for step, accuracy in enumerate(accuracies, 1):
            held_out = accuracy and {"loss": 1 / step, "accuracy": accuracy, "exact": math.nan}
            file.write(json.dumps({"step": step, "held_out": held_out} | more) + "\n")


def test_results_by_label_over_seeds(make, tmp_path) -> None:
    from tfs.train.outcomes import results, table

    runs = make(axes={"positions": AXES["positions"]}).runs()
    write_run(tmp_path / "a", runs[0], [0.2, None, 0.8, 0.7])
    write_run(tmp_path / "b", runs[1], [0.5, 0.6, 0.7, 0.9], seen={"accuracy": 1.0, "loss": 0.25})
    directories = [tmp_path / "a", tmp_path / "b", None, tmp_path / "not yet"]
    learned, none = results(runs, directories, threshold=0.75)
    assert learned.labels == {"positions": "learned"} and learned.seeds == [3, 5]
    assert learned.curves["accuracy"] == [
        ([1, 3, 4], [0.2, 0.8, 0.7]),
        ([1, 2, 3, 4], [0.5, 0.6, 0.7, 0.9]),
    ]
    assert learned.curves["accuracy on seen"] == [([1, 2, 3, 4], [1.0] * 4)]
    assert "exact" not in learned.curves, "NaN is no measurement"
    assert learned.last["accuracy"] == pytest.approx((0.8, 0.7, 0.9))
    assert learned.last["held-out loss"] == (0.25, 0.25, 0.25)
    assert learned.reached == [3, 4]
    assert (none.seeds, none.curves, none.last, none.reached) == ([], {}, {}, [])
    rows = table([learned, none])
    assert rows[0]["accuracy"] == "0.800 (0.700-0.900)" and rows[0]["held-out loss"] == "0.250"
    assert rows[0]["first step"] == "3, 4" and rows[1] == {
        "positions": "none",
        "runs": "0",
        "first step": "",
    }
    never = results(runs[:1], [tmp_path / "a"], threshold=0.9)
    assert never[0].reached == [None] and table(never)[0]["first step"] == "never"


def test_the_curves_are_what_the_figure_of_runs_takes(make, tmp_path) -> None:
    from tfs.plots import compare_runs
    from tfs.train.outcomes import results

    runs = make(axes={"positions": AXES["positions"]}).runs()
    for number, run in enumerate(runs):
        write_run(tmp_path / str(number), run, [0.1, 0.2 + number / 10])
    outcomes = results(runs, [tmp_path / str(number) for number in range(4)])
    fig = compare_runs({o.name: o.curves["accuracy"] for o in outcomes}, what="accuracy")
    assert list(fig.data[-1].y) == pytest.approx([0.1, 0.45])


def test_a_directory_with_another_model_is_refused(make, tmp_path) -> None:
    from tfs.train.outcomes import results

    runs = make().runs()
    write_run(tmp_path / "a", runs[0], [0.5])
    with pytest.raises(ValueError, match="holds a run of another model than tiny: learned, long"):
        results(runs[2:3], [tmp_path / "a"])
