import itertools
import math

import pytest
import torch


def updates_by_hand(setup, config, steps):
    from tfs.train.loop import update
    from tfs.train.optimizer import make_optimizer

    model, task = setup()
    optimizer = make_optimizer(model, config)
    reports = [update(model, task, config, optimizer, step) for step in range(1, steps + 1)]
    return model, [loss for loss, *_ in reports]


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_to_cancel_is_not_to_call_next(mirror_setup, train_config, steps):
    from tfs.train import train

    config = train_config(dropout=0.1)
    model, task = mirror_setup()
    reports = list(itertools.islice(train(model, task, config), steps))
    twin, losses = updates_by_hand(mirror_setup, config, steps)
    assert [report.step for report in reports] == list(range(1, steps + 1))
    assert [report.loss for report in reports] == losses
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, twin.get_parameter(name)), name


def test_there_is_nothing_to_resume_without_a_directory(mirror_setup, train_config):
    from tfs.train import train

    with pytest.raises(ValueError, match="resume=True needs run_dir, the directory of the run"):
        next(train(*mirror_setup(), train_config(), run_dir=None, resume=True))


def test_what_a_step_reports(mirror_setup, train_config):
    from tfs.train import lr_at, train

    config = train_config(steps=10, eval_every=4)
    reports = list(train(*mirror_setup(), config))
    assert [report.step for report in reports] == list(range(1, 11))
    assert [report.lr for report in reports] == [lr_at(step, config) for step in range(1, 11)]
    assert [report.step for report in reports if report.held_out] == [4, 8, 10]
    assert all(report.tokens_per_second > 0 and report.grad_norm > 0 for report in reports)


def test_the_gradient_is_clipped(mirror_setup, train_config):
    """A gradient scaled to almost nothing meets AdamW's epsilon and hardly moves the weights."""
    from tfs.train import train

    moved = []
    for grad_clip in (1.0, 1e-12, 1e9, None):
        model, task = mirror_setup()
        before = model.W_E.detach().clone()
        next(train(model, task, train_config(grad_clip=grad_clip)))
        moved.append((model.W_E - before).abs().max().item())
    assert moved[0] > 1e-3 and moved[1] < 1e-5
    assert moved[2] == moved[3] > 1e-3, "None lets any gradient pass"


def test_training_leaves_torchs_own_generator_alone(mirror_setup, train_config):
    from tfs.train import train

    before = torch.get_rng_state()
    list(train(*mirror_setup(), train_config(dropout=0.2)))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_seed_decides_the_run(mirror_setup, train_config):
    from tfs.train import train

    first, again, other = (
        [report.loss for report in train(*mirror_setup(), train_config(seed=seed))]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_it_stops_at_the_target_loss(mirror_setup, train_config):
    from tfs.train import train

    config = train_config(steps=200, eval_every=5, target_loss=2.3, lr=1e-2)
    reports = list(train(*mirror_setup(), config))
    above, (last,) = [r.held_out.loss for r in reports[:-1] if r.held_out], reports[-1:]
    assert last.held_out.loss <= 2.3 < min(above)
    assert last.step < 200


def test_bfloat16_training_learns_and_keeps_float32_weights(mirror_setup, train_config):
    from tfs.train import train

    model, task = mirror_setup()
    config = train_config(steps=60, batch_size=16, lr=2e-2, eval_size=64, precision="bfloat16")
    *_, last = train(model, task, config)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert last.held_out.loss < math.log(12) - 0.1


def test_an_untrained_mirror_model_knows_nothing():
    import tfs
    from tfs.train.recipes import MIRROR

    task = MIRROR.make_task()
    got = tfs.evaluate(tfs.DecoderOnly(MIRROR.model), task.sample(256, seed=1, split="held_out"))
    assert got.loss == pytest.approx(math.log(100), abs=0.1)
    assert got.accuracy < 0.05


def test_the_mirror_recipe_reaches_its_floor():
    import tfs
    from tfs.train.recipes import MIRROR

    task, model = MIRROR.make_task(), tfs.DecoderOnly(MIRROR.model)
    *_, last = tfs.train(model, task, MIRROR.train)
    fresh = tfs.evaluate(model, task.sample(512, seed=123, split="held_out"))
    for held_out in (last.held_out, fresh):
        assert task.floor() - 0.05 < held_out.loss < 2.17
        assert held_out.accuracy > 0.99
