"""An update's gradient: in parts, on several devices, and compiled, it is the same gradient."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def losses_and_norms(setup, config):
    from tfs.train import train

    return [(report.loss, report.grad_norm) for report in train(*setup(), config)]


@pytest.mark.parametrize("accumulate", [2, 3, 4])
def test_a_batch_in_parts_makes_the_same_update(mirror_setup, train_config, accumulate):
    whole = losses_and_norms(mirror_setup, train_config(lr=1e-2))
    parts = losses_and_norms(mirror_setup, train_config(lr=1e-2, accumulate=accumulate))
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)


def test_parts_with_unlike_numbers_of_counted_tokens_add_up(mirror_setup, train_config):
    """One part has a single token that counts: as a mean of means it would weigh far too much."""
    from tfs.train.backward import BatchLoss, backward

    gradients, losses = [], []
    for accumulate in (1, 2, 4):
        model, task = mirror_setup(initializer_range=0.3)
        batch = task.sample(4, seed=5)
        batch.loss_mask[0] = False
        batch.loss_mask[1] = torch.arange(task.n_ctx) == 3
        config = train_config(accumulate=accumulate)
        losses.append(backward(model, BatchLoss(model), batch, config, step=1))
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-6)
    for gradient in gradients[1:]:
        torch.testing.assert_close(gradient, gradients[0], atol=1e-6, rtol=1e-5)


def test_every_row_is_in_one_part(mirror_setup):
    from tfs.train.backward import share_of

    _, task = mirror_setup()
    batch = task.sample(7, seed=0)
    parts = share_of(batch, 3)
    assert [row for row, _ in parts] == [0, 3, 5]
    assert torch.equal(torch.cat([part.tokens for _, part in parts]), batch.tokens)


def test_parts_draw_other_dropout_but_the_same_again(tiny_config, randomised, tokens_for):
    from tfs.train.dropout import dropout_hooks

    model = randomised(tiny_config())
    tokens = tokens_for(model.cfg)
    first, again, other = (
        model.run_with_hooks(tokens, fwd_hooks=dropout_hooks(0.3, 0, 1, row)) for row in (2, 2, 4)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other)


@pytest.mark.parametrize(
    "fields", [{}, {"tie_word_embeddings": True}, {"normalization_type": None}]
)
def test_nothing_of_an_update_is_left_on_another_device(mirror_setup, fields):
    """On the meta device tensors have no numbers, but mixing it with the CPU fails as a GPU's does.

    This stands in for a GPU, which the machines that test this do not have.
    """
    from tfs.train.backward import on
    from tfs.train.dropout import dropout_hooks
    from tfs.train.loss import training_loss

    model, task = mirror_setup(**fields)
    model, batch = model.to("meta"), on(torch.device("meta"), task.sample(4, seed=0))
    with model.hooks(dropout_hooks(0.1, 0, 1)):
        loss = training_loss(model, batch, all_counted=28)
    loss.backward()
    assert loss.device.type == "meta"
    assert {p.grad.device.type for p in model.parameters()} == {"meta"}
    with model.hooks([("unembed.hook_out", lambda logits, hook: None)]):
        assert training_loss(model, batch, all_counted=28).device.type == "meta"


def test_compiling_dropout_or_more_parts_than_sequences_is_refused(train_config):
    with pytest.raises(ValueError, match="compile does not go with dropout"):
        train_config(compile=True, dropout=0.1)
    with pytest.raises(ValueError, match="accumulate must be at most batch_size = 4, not 5"):
        train_config(accumulate=5)


@pytest.mark.slow
def test_a_compiled_run_has_the_same_losses(tmp_path):
    """In a process of its own: the type checks of the tests are nothing to compile."""
    pytest.importorskip("torch._inductor")
    command = [sys.executable, "-m", "tfs", "train", "mirror", "--steps", "10", "--out"]
    for name, flags in (("plain", []), ("compiled", ["--compile"])):
        subprocess.run([*command, str(tmp_path / name), *flags], check=True, cwd=ROOT)
    logs = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("plain", "compiled")]
    losses = [[json.loads(line)["loss"] for line in log.splitlines()] for log in logs]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
