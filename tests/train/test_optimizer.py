import copy

import pytest
import torch


@pytest.fixture
def config(train_config):
    return train_config(lr=3e-3, weight_decay=0.1)


def contiguous_twin(model, config):
    """Contiguous copies of the parameters, and torch's plain AdamW over them."""
    twins = {
        name: parameter.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
        for name, parameter in model.named_parameters()
    }
    matrices = [twin for twin in twins.values() if twin.ndim >= 2]
    biases = [twin for name, twin in twins.items() if name.rpartition(".")[2].startswith("b_")]
    decayed = [twin for twin in matrices if not any(twin is bias for bias in biases)]
    rest = [twin for twin in twins.values() if not any(twin is each for each in decayed)]
    groups = [{"params": decayed}, {"params": rest, "weight_decay": 0.0}]
    more = {"lr": config.lr, "betas": config.betas, "weight_decay": config.weight_decay}
    return twins, torch.optim.AdamW(groups, **more, fused=False, foreach=False)


def step(model, optimizer, tokens):
    model(tokens).logsumexp(-1).sum().backward()
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    optimizer.step()
    optimizer.zero_grad()
    return grads


@pytest.mark.parametrize("tie", [False, True])
def test_it_is_torchs_plain_adamw(tiny_config, randomised, tokens_for, config, tie):
    from tfs.train.optimizer import make_optimizer

    model = randomised(tiny_config(tie_word_embeddings=tie))
    optimizer, (twins, plain) = make_optimizer(model, config), contiguous_twin(model, config)
    assert not model.blocks[0].attn.W_Q.is_contiguous()
    for seed in range(5):
        grads = step(model, optimizer, tokens_for(model.cfg, seed=seed))
        for name, twin in twins.items():
            twin.grad = grads[name].contiguous()
        plain.step()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.data, twins[name].data, rtol=1e-6, atol=1e-6)


def test_only_matrices_decay(tiny_config, randomised, config):
    from tfs.train.optimizer import make_optimizer

    model = randomised(tiny_config())
    decayed, rest = make_optimizer(model, config).param_groups
    assert (decayed["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    kinds = {names[id(parameter)].rpartition(".")[2] for parameter in decayed["params"]}
    assert kinds == {"W_E", "W_pos", "W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U"}
    assert len(decayed["params"]) + len(rest["params"]) == len(names)


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
@pytest.mark.parametrize("contiguous", [False, True])
def test_a_restored_optimizer_goes_on_as_before(
    tiny_config, randomised, tokens_for, train_config, contiguous, kind
):
    from tfs.train.optimizer import make_optimizer, optimizer_tensors, restore_optimizer

    config = train_config(lr=3e-3, weight_decay=0.1, optimizer=kind)
    model = randomised(tiny_config())
    optimizer = make_optimizer(model, config)
    for seed in range(3):
        step(model, optimizer, tokens_for(model.cfg, seed=seed))
    saved = {
        name: tensor.contiguous() if contiguous else tensor.clone()
        for name, tensor in optimizer_tensors(model, optimizer).items()
    }
    twin = copy.deepcopy(model)
    restored = make_optimizer(twin, config)
    restore_optimizer(twin, restored, saved, step=3)
    for seed in (3, 4):
        for each, its_optimizer in ((model, optimizer), (twin, restored)):
            step(each, its_optimizer, tokens_for(model.cfg, seed=seed))
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, twin.get_parameter(name)), name


def test_sgd_is_momentum_as_it_is_written(tiny_config, randomised, tokens_for, train_config):
    """v = 0.9 v + gradient + decay w; w -= lr v, where only matrices decay."""
    from tfs.train.optimizer import make_optimizer

    model = randomised(tiny_config())
    config = train_config(lr=1e-3, weight_decay=0.1, optimizer="sgd", betas=(0.9, 0.5))
    optimizer = make_optimizer(model, config)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    speed = {name: torch.zeros_like(w) for name, w in weights.items()}
    for seed in range(3):
        grads = step(model, optimizer, tokens_for(model.cfg, seed=seed))
        for name, weight in weights.items():
            decay = 0.1 if name.rpartition(".")[2].startswith("W_") else 0.0
            speed[name] = 0.9 * speed[name] + grads[name] + decay * weight
            weights[name] = weight - 1e-3 * speed[name]
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.data, weights[name], rtol=1e-5, atol=1e-6)
