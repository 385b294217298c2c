"""A training that runs away is stopped, says where, and spoils nothing that it had kept."""

import dataclasses
import math

import pytest
import torch


@pytest.fixture
def run_away(mirror_setup, train_config, tmp_path):
    """A real training with a learning rate of 10, to its end: the error, reports, directory."""
    from tfs.train import train
    from tfs.train.diverged import Diverged

    def go(resume=False, **fields):
        config = train_config(**{"steps": 400, "lr": 10.0, "save_every": 5} | fields)
        reports = []
        with pytest.raises(Diverged) as caught:
            for report in train(*mirror_setup(), config, tmp_path, resume=resume):
                reports.append(report)
        return caught.value, reports, tmp_path

    return go


def assert_all_finite(directory):
    from safetensors.torch import load_file

    files = [*directory.glob("snapshots/*"), *directory.glob("last/*.safetensors")]
    assert len(files) > 3
    for path in files:
        for name, tensor in load_file(path).items():
            assert torch.isfinite(tensor).all(), (path, name)


def test_a_loss_that_ran_away_is_stopped_after_fifty_updates(run_away):
    from tfs.train.diverged import FAR, UPDATES_TOO_FAR

    error, reports, directory = run_away()
    losses = [report.loss for report in reports] + [error.loss]
    far = [loss > min(losses) + FAR * math.log(12) for loss in losses]
    assert all(far[-UPDATES_TOO_FAR:]) and not far[-UPDATES_TOO_FAR - 1]
    assert error.step == len(losses) < 400
    good = error.step - UPDATES_TOO_FAR - 1
    kept = sorted(int(path.stem[5:]) for path in directory.glob("snapshots/*"))
    branch = int(str(error).split("snapshot ")[1].split(",")[0])
    assert branch == max(step for step in kept if step <= max(good, 0))
    assert "lower the learning rate" in str(error) and "\n" not in str(error)
    assert f"diverged at step {error.step}: its loss, now" in str(error)
    assert_all_finite(directory)


@pytest.mark.parametrize("when", ["every update", "now and then, as the lab does"])
def test_what_may_be_lost_is_not_what_a_run_goes_on_from(
    mirror_setup, train_config, tmp_path, when
):
    from tfs.train import train
    from tfs.train.control import Control
    from tfs.train.diverged import UPDATES_TOO_FAR, Diverged
    from tfs.train.run import last_step

    by_itself = when == "every update"
    config = train_config(steps=400, lr=10.0, save_every=1 if by_itself else 1000)
    control = Control()
    with pytest.raises(Diverged) as caught:
        for report in train(*mirror_setup(), config, tmp_path, control=control):
            if not by_itself:
                control.save(report.step)
    assert last_step(tmp_path) == caught.value.step - UPDATES_TOO_FAR - 1
    control.set_lr(1e-3)
    losses = [step.loss for step in train(*mirror_setup(), config, tmp_path, True, control)]
    assert len(losses) == 400 - caught.value.step + UPDATES_TOO_FAR + 1
    assert max(losses) < 2 * math.log(12)


def test_a_resumed_run_is_stopped_at_the_same_step(run_away):
    first, reports, _ = run_away(warmup_steps=400)
    again, more, _ = run_away(warmup_steps=400, resume=True)
    assert (str(again), again.step, again.loss) == (str(first), first.step, first.loss)
    assert 0 < len(more) < len(reports), "it went on from its last save"


@pytest.mark.parametrize("lr", [1e30, 1e38])
def test_what_is_no_number_stops_at_once_and_is_never_saved(run_away, lr):
    error, reports, directory = run_away(lr=lr, save_every=1, warmup_steps=0)
    assert error.step == len(reports) + 1 <= 3
    assert "lower the learning rate" in str(error)
    from tfs.train.run import last_step, read_metrics

    assert last_step(directory) == len(reports) == len(read_metrics(directory))
    for path in [*directory.glob("snapshots/*"), *directory.glob("last/*.safetensors")]:
        from safetensors.torch import load_file

        assert all(torch.isfinite(tensor).all() for tensor in load_file(path).values()), path


def test_without_a_directory_there_is_no_snapshot_to_name(mirror_setup, train_config):
    from tfs.train import train

    with pytest.raises(ValueError, match=r"lower the learning rate \(it was 9.83e\+37\)$"):
        list(train(*mirror_setup(), train_config(lr=1e38, warmup_steps=0)))


def test_a_loss_that_comes_back_is_let_be(mirror_setup):
    from tfs.train.diverged import FAR, UPDATES_TOO_FAR, Diverged, Watch

    model, _ = mirror_setup()
    high = 1.0 + FAR * math.log(12) + 0.1
    watch = Watch(12, None)
    losses = [30.0, 2.0, 1.0] + ([high] * (UPDATES_TOO_FAR - 1) + [high - 0.2]) * 3
    for step, loss in enumerate(losses, 1):
        watch.look(step, loss, 1.0, 0.1, model)
    for _ in range(UPDATES_TOO_FAR - 1):
        watch.look(500, high, 1.0, 0.1, model)
    with pytest.raises(Diverged, match="for 50 updates"):
        watch.look(501, high, 1.0, 0.1, model)


def test_a_diverged_run_goes_on_with_a_lower_rate(run_away, mirror_setup, train_config):
    from tfs.train import train
    from tfs.train.control import Control

    _, _, directory = run_away(steps=150, save_every=1000)
    control = Control()
    control.set_lr(1e-2)
    config = train_config(steps=150, lr=10.0, save_every=1000)
    *_, last = train(*mirror_setup(), config, directory, resume=True, control=control)
    assert last.step == 150 and last.held_out.loss < math.log(12)


def test_a_rate_set_by_hand_is_part_of_the_run(mirror_setup, train_config, tmp_path):
    """Changed at step 8, cut off at 14 with a save at 6, resumed: as if never cut off."""
    from tfs.train import lr_at, train
    from tfs.train.control import Control

    config = train_config(steps=30, save_every=6, dropout=0.1)

    def go(directory, until, resume=False):
        control, reports = Control(), []
        run = train(*mirror_setup(), config, directory, resume=resume, control=control)
        for report in run:
            reports.append(report)
            if report.step == 7 and not resume:
                control.set_lr(3e-3)
            if report.step == until:
                break
        run.close()
        return [(report.step, report.loss, report.lr) for report in reports]

    whole = go(tmp_path / "whole", 30)
    lower = dataclasses.replace(config, lr=3e-3)
    for step, _, lr in whole:
        assert lr == lr_at(step, config if step <= 7 else lower)
    cut = go(tmp_path / "cut", 14)
    rest = go(tmp_path / "cut", 30, resume=True)
    assert cut == whole[:14] and rest == whole[12:]
    for path in ("last/model.safetensors", "last/optim.safetensors", "lr.json"):
        assert (tmp_path / "cut" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()


def test_a_later_change_replaces_those_that_are_done_again(mirror_setup, train_config, tmp_path):
    from tfs.train import train
    from tfs.train.control import Control
    from tfs.train.files import read_json

    config, control = train_config(steps=30, save_every=6), Control()
    run = train(*mirror_setup(), config, tmp_path, control=control)
    for report in run:
        if report.step in (3, 8):
            control.set_lr(1e-3 * report.step)
        if report.step == 10:
            break
    run.close()
    assert read_json(tmp_path / "lr.json") == [[4, 3e-3], [9, 8e-3]]
    control = Control()
    control.set_lr(1e-4)
    list(train(*mirror_setup(), config, tmp_path, resume=True, control=control))
    assert read_json(tmp_path / "lr.json") == [[4, 3e-3], [7, 1e-4]]


@pytest.mark.parametrize("peak", [0.0, -1.0, math.inf, math.nan])
def test_what_is_no_learning_rate_is_refused(peak):
    from tfs.train.control import Control

    with pytest.raises(ValueError, match="the learning rate must be a finite number above 0"):
        Control().set_lr(peak)
