import math

import pytest
import torch


@pytest.fixture(params=[False, True], ids=["untied", "tied"])
def model(request, tiny_config, randomised):
    return randomised(tiny_config(tie_word_embeddings=request.param, dtype=torch.float64))


@pytest.fixture
def batch(tokens_for, tiny_config):
    from tfs.tasks import Batch

    tokens = tokens_for(tiny_config(), batch=3)
    loss_mask = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(3)) < 0.6
    return Batch(tokens, loss_mask, loss_mask)


def loss_and_gradients(model, loss):
    model.zero_grad()
    (loss * 3).backward()  # the gradient of what follows is not always 1
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


def reference(model, batch):
    from tfs.train.loss import next_token_loss

    return loss_and_gradients(model, next_token_loss(model(batch.tokens), *batch[:2]))


@pytest.mark.parametrize("logits_at_once", [1, 11 * 5, 11 * 21, 2**24])
def test_training_loss_is_next_token_loss(monkeypatch, model, batch, logits_at_once):
    from tfs.train import loss

    monkeypatch.setattr(loss, "LOGITS_AT_ONCE", logits_at_once)
    monkeypatch.setattr(loss, "FEW_LOGITS", 0)
    expected = reference(model, batch)
    got = loss_and_gradients(model, loss.training_loss(model, batch))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


def test_in_float32_too(tiny_config, randomised, batch):
    from tfs.train.loss import training_loss

    model = randomised(tiny_config())
    expected = reference(model, batch)
    got = loss_and_gradients(model, training_loss(model, batch))
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("logits_at_once", [1, 14, 2**24])
def test_the_gradient_is_that_of_finite_differences(monkeypatch, logits_at_once, smoothing):
    from tfs.train import loss

    monkeypatch.setattr(loss, "LOGITS_AT_ONCE", logits_at_once)
    g = torch.Generator().manual_seed(0)
    shapes = (5, 3), (3, 7), (7,)
    inputs = [torch.randn(s, generator=g, dtype=torch.float64, requires_grad=True) for s in shapes]
    targets, weight = (
        torch.tensor([0, 6, 3, 3, 1]),
        torch.tensor([0.2, 0.0, 0.5, 0.1, 0.2]).double(),
    )
    apply = loss.UnembedLoss.apply
    assert torch.autograd.gradcheck(lambda *args: apply(*args, targets, weight, smoothing), inputs)


def test_large_logits_stay_finite():
    from tfs.train.loss import UnembedLoss

    resid = torch.tensor([[1e4, -1e4]])
    given = torch.eye(2), torch.zeros(2), torch.tensor([1]), torch.ones(1)
    loss = UnembedLoss.apply(resid, *given, 0.0)
    assert loss.item() == pytest.approx(2e4)


def test_uniform_logits_cost_the_log_of_the_vocabulary(tiny_config, randomised, batch):
    from tfs.train.loss import training_loss

    model = randomised(tiny_config())
    torch.nn.init.zeros_(model.unembed.W_U)
    torch.nn.init.zeros_(model.unembed.b_U)
    assert training_loss(model, batch).item() == pytest.approx(math.log(11), abs=1e-6)


@pytest.mark.parametrize("name", ["unembed.hook_in", "unembed.hook_out", "blocks.1.hook_mlp_out"])
def test_hooks_are_heard(tiny_config, randomised, batch, name):
    from tfs.train.loss import next_token_loss, training_loss

    model = randomised(tiny_config())
    clean = training_loss(model, batch)
    with model.hooks([(name, lambda activation, hook: activation * 0)]):
        hooked = training_loss(model, batch)
        torch.testing.assert_close(hooked, next_token_loss(model(batch.tokens), *batch[:2]))
    assert not torch.allclose(hooked, clean)


def test_only_masked_tokens_count(tiny_config, randomised, batch):
    from tfs.train.loss import next_token_loss

    logits = randomised(tiny_config())(batch.tokens)
    log_probs = logits.log_softmax(-1)
    costs = [
        -log_probs[row, pos - 1, batch.tokens[row, pos]].item()
        for row, pos in batch.loss_mask.nonzero().tolist()
        if pos > 0
    ]
    got = next_token_loss(logits, batch.tokens, batch.loss_mask).item()
    assert got == pytest.approx(sum(costs) / len(costs), rel=1e-5)


def test_bfloat16_products_come_near(tiny_config, randomised, batch):
    from tfs.train.loss import training_loss

    model = randomised(tiny_config())
    expected, gradients = loss_and_gradients(model, training_loss(model, batch))
    with torch.autocast("cpu", torch.bfloat16):
        loss = training_loss(model, batch)
    reduced, reduced_gradients = loss_and_gradients(model, loss)
    assert reduced.dtype == torch.float32 and reduced.item() == pytest.approx(
        expected.item(), rel=0.02
    )
    assert 0 < abs(reduced.item() - expected.item())
    for name, gradient in gradients.items():
        assert reduced_gradients[name].dtype == torch.float32
        assert (reduced_gradients[name] - gradient).norm() < 0.1 * gradient.norm() + 1e-3, name


@pytest.mark.parametrize("few", [0, 2**21], ids=["in slices", "at once"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_smoothed_labels_are_a_mixture_of_the_true_token_and_all_alike(
    monkeypatch, model, batch, smoothing, few
):
    from tfs.train import loss

    monkeypatch.setattr(loss, "FEW_LOGITS", few)
    training_loss = loss.training_loss
    logs = model(batch.tokens)[:, :-1].log_softmax(-1)
    true = -logs.gather(2, batch.tokens[:, 1:, None]).squeeze(2)
    alike = -logs.mean(-1)
    each = (1 - smoothing) * true + smoothing * alike
    expected = loss_and_gradients(model, each[batch.loss_mask[:, 1:]].mean())
    got = loss_and_gradients(model, training_loss(model, batch, label_smoothing=smoothing))
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


def test_an_update_smooths_and_an_evaluation_does_not(tiny_config, randomised, train_config):
    from tfs.tasks import MirrorTask
    from tfs.train.loop import update
    from tfs.train.loss import training_loss
    from tfs.train.metrics import evaluate
    from tfs.train.optimizer import make_optimizer

    task = MirrorTask(11, 8)
    config = train_config(label_smoothing=0.2, batch_size=4)
    model = randomised(tiny_config())
    sampled = []
    task.sample, sample = lambda *key: sampled.append(sample(*key)) or sampled[-1], task.sample
    twin = randomised(tiny_config())
    loss, _, _ = update(model, task, config, make_optimizer(model, config), 1)
    assert loss == pytest.approx(training_loss(twin, sampled[0], None, 0.2).item(), rel=1e-6)
    assert loss != pytest.approx(training_loss(twin, sampled[0]).item(), rel=1e-3)
    held_out = sample(4, 0, "held_out")
    plain = training_loss(twin, held_out).item()
    assert evaluate(twin, held_out).loss == pytest.approx(plain, rel=1e-6)
