from functools import partial

import pytest
import torch

Z = "blocks.0.attn.hook_z"
PRE = "blocks.0.hook_resid_pre"


@pytest.fixture
def model(tiny_config, randomised):
    return randomised(tiny_config())


@pytest.fixture
def tokens(model, tokens_for):
    return tokens_for(model.cfg)


@pytest.fixture
def clean(model, tokens):
    return model(tokens)


def scaled(activation, hook, factor=0.0):
    return activation * factor


class Scaled:
    def __call__(self, activation, hook):
        return activation * 0


@pytest.mark.parametrize(
    "fn",
    [
        scaled,
        partial(scaled, factor=0.0),
        Scaled(),
        lambda activation, hook: activation * 0,
        lambda z, h: z * 0,
        lambda z, point=None: z * 0,
        lambda *args: args[0] * 0,
        lambda z, **rest: z * rest["hook"].layer(),
        partial(lambda factor, z, hook: z * factor, 0),
    ],
)
def test_what_a_hook_returns_flows_on(model, tokens, clean, fn):
    with torch.no_grad():
        without_head = [block.attn.W_O for block in model.blocks][0].clone()
        changed = model.run_with_hooks(tokens, fwd_hooks=[(Z, fn)])
        model.blocks[0].attn.W_O.zero_()
        torch.testing.assert_close(changed, model(tokens))
        model.blocks[0].attn.W_O.copy_(without_head)
    assert not torch.allclose(changed, clean)


def test_a_hook_that_returns_nothing_changes_nothing(model, tokens, clean):
    seen = []
    logits = model.run_with_hooks(tokens, fwd_hooks=[(Z, lambda z, hook: seen.append(hook.name))])
    assert seen == [Z]
    torch.testing.assert_close(logits, clean)


def test_a_filter_hooks_every_name_it_accepts(model, tokens):
    seen = []
    only_z = (lambda name: name.endswith("hook_z"), lambda z, hook: seen.append(hook.name))
    model.run_with_hooks(tokens, fwd_hooks=[only_z])
    assert seen == [Z, Z.replace("0", "1")]


@pytest.mark.parametrize("direction", ["fwd_hooks", "bwd_hooks"])
def test_an_unknown_name_is_refused(model, tokens, direction):
    with pytest.raises(ValueError, match="no hook point named 'nowhere'"):
        model.run_with_hooks(tokens, **{direction: [("nowhere", scaled)]})


def test_bwd_hooks_see_the_gradient_of_the_activation(model, tokens):
    kept, grads = {}, {}

    def keep(activation, hook):
        activation.retain_grad()
        kept[hook.name] = activation

    bwd = [(name, lambda grad, hook: grads.update({hook.name: grad})) for name in (Z, PRE)]
    logits = model.run_with_hooks(tokens, fwd_hooks=[(Z, keep), (PRE, keep)], bwd_hooks=bwd)
    logits.pow(2).sum().backward()
    for name in (Z, PRE):
        torch.testing.assert_close(grads[name], kept[name].grad)


def test_what_a_bwd_hook_returns_flows_back(model, tokens):
    stop = [("blocks.1.hook_resid_pre", lambda grad, hook: grad * 0)]
    model.run_with_hooks(tokens, bwd_hooks=stop).sum().backward()
    assert model.blocks[0].attn.W_V.grad.count_nonzero() == 0
    assert model.blocks[1].attn.W_V.grad.count_nonzero() > 0


@pytest.mark.parametrize(
    ("stopped", "watched", "arrives"),
    [
        ("blocks.1.hook_resid_pre", "blocks.0.hook_resid_post", False),
        ("blocks.0.hook_resid_post", "blocks.1.hook_resid_pre", True),
    ],
)
def test_points_on_one_tensor_have_gradients_of_their_own(model, tokens, stopped, watched, arrives):
    seen = []
    hooks = [
        (stopped, lambda grad, hook: grad * 0),
        (watched, lambda grad, hook: seen.append(bool(grad.any()))),
    ]
    model.run_with_hooks(tokens, bwd_hooks=hooks).sum().backward()
    assert seen == [arrives]


def order_of(log, name):
    return lambda activation, hook: log.append(name)


def test_outer_hooks_run_before_inner_ones_and_added_ones_first(model, tokens):
    log = []
    model.add_hook(Z, order_of(log, "added"))
    with model.hooks([(Z, order_of(log, "outer"))]):
        with model.hooks([(Z, order_of(log, "inner")), (Z, order_of(log, "inner, second"))]):
            model.run_with_hooks(tokens, fwd_hooks=[(Z, order_of(log, "run"))])
        model(tokens)
    model(tokens)
    assert log == ["added", "outer", "inner", "inner, second", "run", "added", "outer", "added"]


def test_the_next_hook_gets_what_the_one_before_returned(model, tokens):
    seen = []
    plus = [(Z, lambda z, hook: torch.zeros_like(z)), (Z, lambda z, hook: z + 3)]
    model.run_with_hooks(tokens, fwd_hooks=[*plus, (Z, lambda z, hook: seen.append(z.unique()))])
    assert seen[0].tolist() == [3.0]


def failing(activation, hook):
    raise RuntimeError("no")


def test_an_error_in_a_hook_leaves_nothing_behind(model, tokens, clean):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            model.run_with_hooks(tokens, fwd_hooks=[(PRE, scaled), (Z, failing)])
    torch.testing.assert_close(model(tokens), clean, rtol=0, atol=0)


def test_an_error_leaves_outer_hooks_in_place_and_no_more(model, tokens, clean):
    outer = [(PRE, scaled)]
    expected = model.run_with_hooks(tokens, fwd_hooks=outer)
    with model.hooks(outer):
        with pytest.raises(RuntimeError), model.hooks([(Z, scaled)]):
            model.run_with_cache(tokens, names_filter=[PRE], stop_at_layer=1)
            model.run_with_hooks(tokens, fwd_hooks=[(Z, failing)])
        torch.testing.assert_close(model(tokens), expected, rtol=0, atol=0)
    torch.testing.assert_close(model(tokens), clean, rtol=0, atol=0)


def test_hooks_with_an_unknown_name_hold_none_of_the_others(model, tokens, clean):
    with pytest.raises(ValueError), model.hooks([(Z, scaled), ("nowhere", scaled)]):
        pytest.fail("entered")
    torch.testing.assert_close(model(tokens), clean, rtol=0, atol=0)


def test_added_hooks_stay_until_reset(model, tokens, clean):
    model.add_hook(Z, scaled)
    model.add_hook(lambda name: name == PRE, lambda grad, hook: grad * 0, dir="bwd")
    expected = model(tokens)
    expected.sum().backward()
    assert not torch.allclose(expected, clean)
    assert model.embed.W_E.grad.count_nonzero() == 0
    torch.testing.assert_close(model(tokens), expected)
    model.reset_hooks()
    torch.testing.assert_close(model(tokens), clean, rtol=0, atol=0)


@pytest.mark.parametrize("bad", [{"dir": "both"}, {"name": "nowhere"}])
def test_add_hook_refuses_what_it_does_not_know(model, bad):
    with pytest.raises(ValueError, match=next(iter(bad.values()))):
        model.add_hook(**({"name": Z, "fn": scaled} | bad))
