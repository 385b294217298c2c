"""What the ready-made experiments say they found is found again, with the first of their seeds."""

import dataclasses
import os
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.slow


@pytest.fixture
def found(tmp_path):
    """found(name): for each combination of choices, its first step at 99% and its outcome.

    axes: choices that take the place of the experiment's own, where all of them would take long.
    """
    from tfs.train.conduct import conduct
    from tfs.train.experiments import EXPERIMENTS

    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def outcomes(name, **axes):
        own = EXPERIMENTS[name]
        experiment = dataclasses.replace(own, seeds=(0,), axes=dict(own.axes) | axes)
        done = conduct(experiment, tmp_path, lambda text: None)
        return {tuple(each.labels.values()): (each.reached[0], each) for each in done}

    yield outcomes
    torch.set_num_threads(threads)


def accuracy(outcome) -> float:
    return outcome.last["accuracy"].mean


def test_without_positions_3000_steps_do_not_suffice_but_a_start_token_does(found) -> None:
    runs = found("positions", layers={"2 layers": {"model": {"n_layers": 2}}})
    for (positions, start, _), (reached, _) in runs.items():
        if positions == "learned":
            assert reached <= 150
        elif positions == "sinusoidal":
            assert reached <= 350
        elif start == "start":
            assert 300 <= reached <= 1200
        else:
            assert reached is None
    assert 0.7 < accuracy(runs["none", "no start", "2 layers"][1]) < 0.95


def test_weight_decay_makes_it_grok(found) -> None:
    runs = found("grokking")
    reached, decay = runs["decay 1",]
    steps, seen = decay.curves["accuracy on seen"][0]
    by_heart = next(step for step, share in zip(steps, seen, strict=True) if share > 0.99)
    unseen = dict(zip(*decay.curves["accuracy"][0], strict=True))
    assert by_heart <= 200 and unseen[by_heart] < 0.05
    assert dict(zip(*decay.curves["held-out loss"][0], strict=True))[by_heart] > 6
    assert 400 <= reached <= 800
    assert 0.3 < accuracy(runs["decay 0.3",][1]) < 0.95
    assert accuracy(runs["no decay",][1]) < 0.05
    assert runs["no decay",][1].last["held-out loss"].mean > 15


def test_undivided_scores_harm_wide_heads_and_not_narrow_ones(found) -> None:
    runs = found("attention-scale")
    for width in (8, 64, 512):
        assert runs["divided", f"d_head {width}"][0] <= 400
    assert runs["undivided", "d_head 8"][0] <= 400
    assert 0.5 < accuracy(runs["undivided", "d_head 64"][1]) < 0.97
    assert accuracy(runs["undivided", "d_head 512"][1]) < 0.5


def test_without_the_residual_stream_four_layers_learn_nothing(found) -> None:
    runs = found("residual")
    for layers in ("1 layer", "2 layers", "4 layers"):
        assert runs["residual", layers][0] <= 150
    assert runs["no residual", "1 layer"][0] <= 100 and runs["no residual", "2 layers"][0] <= 200
    assert accuracy(runs["no residual", "4 layers"][1]) < 0.03


def test_one_layer_does_induction_only_where_blocks_have_one_length(found) -> None:
    runs = found("induction-depth")
    assert accuracy(runs["1 layer", "any length"][1]) < 0.25
    assert runs["2 layers", "any length"][0] <= 500
    assert runs["1 layer", "length 16"][0] <= 250 and runs["2 layers", "length 16"][0] <= 250


def test_sums_are_learned_sooner_from_the_last_digit(found) -> None:
    runs = found("digits")
    for layers in ("1 layer", "2 layers"):
        assert runs["reversed", layers][0] < runs["as written", layers][0] <= 1500


@pytest.mark.skipif(
    not Path(os.environ.get("TFS_DATA_DIR", ""), "tinyshakespeare.txt").is_file(),
    reason="reads Tiny Shakespeare, which is not on this machine",
)
def test_a_text_read_before_helps_and_a_quarter_of_the_rate_helps_less(found) -> None:
    runs = [outcome for _, outcome in found("finetuning").values()]
    scratch, tuned, slower = (run.curves["held-out loss"][0][1] for run in runs)
    assert tuned[0] < slower[0] < scratch[0] - 0.5
    assert tuned[-1] < slower[-1] < scratch[-1] - 0.1
