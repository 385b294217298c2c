"""Every written gradient equals autodiff's, torch's and central differences, whatever the shape."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

SIZES = st.integers(1, 5)
EMPTY_TOO = st.integers(0, 5)
SEEDS = st.integers(0, 2**31)


@pytest.fixture(scope="module")
def by_hand():
    from tfs.numpy_engine import by_hand

    return by_hand


def away_from_0(draw, shape):
    """Random numbers; none so near 0 that a nudge crosses ReLU's bend."""
    x = draw.normal(size=shape)
    return x + np.where(x >= 0, 0.01, -0.01)


def compare(by_hand, layer, inputs, in_torch):
    """Forward, backward and measured gradients, against torch's and the engine's in float64."""
    assert_autodiff_agrees(by_hand, layer, inputs)
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    weights = {n: torch.tensor(w, requires_grad=True) for n, w in layer.weights.items()}
    output = layer.forward(*inputs)
    expected = in_torch(*tensors, **{n.replace(".", "_"): w for n, w in weights.items()})
    grad_output = np.random.default_rng(1).normal(size=output.shape)
    back = layer.backward(grad_output)
    expected.backward(torch.tensor(grad_output))
    np.testing.assert_allclose(output, expected.detach().numpy(), rtol=0, atol=1e-10)
    for tensor, ours in zip(tensors, back if isinstance(back, tuple) else [back], strict=True):
        if tensor.requires_grad:
            assert ours.shape == tuple(tensor.shape)
            np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=0, atol=1e-10)
    assert set(layer.gradients) == set(weights)
    for name, weight in weights.items():
        assert layer.gradients[name].shape == tuple(weight.shape)
        np.testing.assert_allclose(layer.gradients[name], weight.grad.numpy(), rtol=0, atol=1e-10)
    checked = by_hand.gradient_check(layer, *inputs)
    moved = [x for x in inputs if x.dtype.kind == "f"]
    assert len(checked.parts) == len(moved) + len(weights)
    assert checked.largest < 1e-6


def assert_autodiff_agrees(by_hand, layer, inputs):
    """What the engine finds by walking back what was computed, beside what was derived."""
    checked, walked = copy.deepcopy(layer), copy.deepcopy(layer)
    written = by_hand.gradient_check(checked, *inputs).parts
    found = by_hand.gradients_by_autodiff(walked, *inputs)
    assert found.keys() == written.keys()
    for name, gradient in found.items():
        assert gradient.shape == written[name].written.shape
        np.testing.assert_allclose(gradient, written[name].written, rtol=0, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, d_in=SIZES, d_out=SIZES, seed=SEEDS)
def test_dense(by_hand, batch, d_in, d_out, seed):
    draw = np.random.default_rng(seed)
    layer = by_hand.Dense(d_in, d_out, seed)
    layer.weights["b"] += draw.normal(size=d_out)
    compare(by_hand, layer, [draw.normal(size=(batch, d_in))], lambda x, W, b: x @ W + b)


@pytest.mark.parametrize(
    ("name", "in_torch"),
    [
        ("ReLU", torch.relu),
        ("Sigmoid", torch.sigmoid),
        ("Softmax", lambda x: torch.softmax(x, -1)),
        ("LogSoftmax", lambda x: torch.log_softmax(x, -1)),
    ],
)
@settings(max_examples=20, deadline=None)
@given(batch=st.lists(EMPTY_TOO, max_size=2), category=SIZES, seed=SEEDS)
def test_what_has_no_weights(by_hand, name, in_torch, batch, category, seed):
    x = away_from_0(np.random.default_rng(seed), (*batch, category))
    compare(by_hand, getattr(by_hand, name)(), [x], in_torch)


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, d_model=SIZES, rate=st.floats(0, 0.9), seed=SEEDS)
def test_dropout(by_hand, batch, d_model, rate, seed):
    x = np.random.default_rng(seed).normal(size=(batch, d_model))
    stays = np.random.default_rng(seed).random(x.shape) >= rate
    mask = torch.tensor(stays / (1 - rate))
    compare(by_hand, by_hand.Dropout(rate, seed), [x], lambda x: x * mask)


def test_dropout_keeps_the_mean_and_is_off_when_nobody_trains(by_hand):
    layer, x = by_hand.Dropout(0.3, seed=0), np.ones((200, 100))
    assert abs(layer.forward(x).mean() - 1) < 0.02
    first = by_hand.Dropout(0.3, seed=5).forward(x)
    assert (first == by_hand.Dropout(0.3, seed=5).forward(x)).all()
    layer.training = False
    assert (layer.forward(x) == x).all() and (layer.backward(x) == x).all()


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_that_drops_everything_is_refused_in_one_sentence(by_hand, rate):
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        by_hand.Dropout(rate)


@settings(max_examples=20, deadline=None)
@given(place=st.lists(EMPTY_TOO, max_size=2), d_vocab=SIZES, d_model=SIZES, seed=SEEDS)
def test_embedding_with_ids_that_repeat(by_hand, place, d_vocab, d_model, seed):
    ids = np.random.default_rng(seed).integers(d_vocab, size=place)
    layer = by_hand.Embedding(d_vocab, d_model, seed)
    compare(by_hand, layer, [np.asarray(ids)], lambda ids, W: W[ids])


@pytest.mark.parametrize("wrong", [-1, 4])
def test_an_id_without_a_row_is_refused_in_one_sentence(by_hand, wrong):
    with pytest.raises(ValueError, match=f"id {wrong} has no row: the table has 4"):
        by_hand.Embedding(4, 2).forward(np.array([0, wrong]))


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, word=SIZES, d_model=EMPTY_TOO, axis=st.integers(-3, 2), seed=SEEDS)
def test_axis_mean(by_hand, batch, word, d_model, axis, seed):
    x = np.random.default_rng(seed).normal(size=(batch, word, d_model))
    if x.shape[axis]:
        compare(by_hand, by_hand.AxisMean(axis), [x], lambda x: x.mean(axis))
    else:
        with pytest.raises(ValueError, match="empty, so it has no mean"):
            by_hand.AxisMean(axis).forward(x)


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, word=EMPTY_TOO, d_model=SIZES, seed=SEEDS)
def test_axis_dot(by_hand, batch, word, d_model, seed):
    draw = np.random.default_rng(seed)
    inputs = [draw.normal(size=(batch, d_model)), draw.normal(size=(batch, word, d_model))]
    compare(by_hand, by_hand.AxisDot(), inputs, lambda u, v: torch.einsum("bd, bwd -> bw", u, v))


@settings(max_examples=10, deadline=None)
@given(batch=EMPTY_TOO, d_in=SIZES, d_mlp=SIZES, d_out=SIZES, seed=SEEDS)
def test_sequential(by_hand, batch, d_in, d_mlp, d_out, seed):
    x = np.random.default_rng(seed).normal(size=(batch, d_in))
    layers = by_hand.Dense(d_in, d_mlp, seed), by_hand.Sigmoid(), by_hand.Dense(d_mlp, d_out)
    model = by_hand.Sequential(*layers, by_hand.LogSoftmax())

    def in_torch(x, **weights):
        W0, b0, W2, b2 = weights.values()
        return torch.log_softmax(torch.sigmoid(x @ W0 + b0) @ W2 + b2, -1)

    compare(by_hand, model, [x], in_torch)
    assert list(model.weights) == ["0.W", "0.b", "2.W", "2.b"]


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, category=SIZES, seed=SEEDS)
def test_cross_entropy(by_hand, batch, category, seed):
    draw = np.random.default_rng(seed)
    y, targets = draw.normal(size=(batch, category)), draw.integers(category, size=batch)
    loss, theirs = by_hand.CrossEntropy(), torch.tensor(y, requires_grad=True)
    of_all = torch.nn.functional.nll_loss(theirs, torch.tensor(targets), reduction="sum")
    expected = of_all / max(batch, 1)
    assert abs(loss.forward(y, targets) - expected.item()) < 1e-10
    expected.backward()
    np.testing.assert_allclose(loss.backward(), theirs.grad.numpy(), rtol=0, atol=1e-10)
    assert_slopes(lambda: loss.forward(y, targets), y, loss.backward())


@settings(max_examples=20, deadline=None)
@given(batch=EMPTY_TOO, word=EMPTY_TOO, seed=SEEDS)
def test_binary_cross_entropy(by_hand, batch, word, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(batch, word)) * 10
    labels = draw.integers(2, size=x.shape).astype(float)
    loss, theirs = by_hand.BinaryCrossEntropy(), torch.tensor(x, requires_grad=True)
    ask = torch.nn.functional.binary_cross_entropy_with_logits
    expected = ask(theirs, torch.tensor(labels), reduction="sum") / max(batch, 1)
    assert abs(loss.forward(x, labels) - expected.item()) < 1e-10
    expected.backward()
    np.testing.assert_allclose(loss.backward(), theirs.grad.numpy(), rtol=0, atol=1e-10)
    assert_slopes(lambda: loss.forward(x, labels), x, loss.backward())


def assert_slopes(loss, x, written):
    from tfs.numpy_engine.by_hand.check import central_differences

    np.testing.assert_allclose(written, central_differences(loss, x), rtol=0, atol=1e-6)


def test_huge_scores_neither_overflow_nor_round_to_nothing(by_hand):
    x = np.array([[1e4, 0.0, -1e4]])
    assert by_hand.Softmax().forward(x).tolist() == [[1, 0, 0]]
    assert by_hand.LogSoftmax().forward(x).tolist() == [[0, -1e4, -2e4]]
    assert by_hand.Sigmoid().forward(x).tolist() == [[1, 0.5, 0]]


def test_the_check_leaves_what_it_moved_as_it_was(by_hand):
    layer, x = by_hand.Dense(3, 2), np.random.default_rng(0).normal(size=(2, 3))
    before = [array.copy() for array in (x, *layer.weights.values())]
    by_hand.gradient_check(layer, x)
    for was, array in zip(before, (x, *layer.weights.values()), strict=True):
        assert (was == array).all()


def example_of(by_hand, layer):
    """Arguments of a layer and of its forward, where each mistake shows."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(4, 3))
    return {
        "Dense": ((3, 2), [x]),
        "Embedding": ((5, 3), [np.array([1, 4, 1])]),
        "AxisMean": ((0,), [x]),
        "AxisDot": ((), [x, draw.normal(size=(4, 2, 3))]),
    }.get(layer.__name__, ((), [x]))


def test_the_check_finds_every_mistake_and_only_those(by_hand):
    layers = {by_hand.Dense, by_hand.ReLU, by_hand.Sigmoid, by_hand.Softmax, by_hand.LogSoftmax}
    layers |= {by_hand.Dropout, by_hand.Embedding, by_hand.AxisMean, by_hand.AxisDot}
    assert set(by_hand.MISTAKEN) == layers
    for layer, mistaken in by_hand.MISTAKEN.items():
        arguments, inputs = example_of(by_hand, layer)
        assert by_hand.gradient_check(layer(*arguments), *inputs).largest < 1e-6, layer
        checked = by_hand.gradient_check(mistaken(*arguments), *inputs)
        assert checked.largest > 0.01, mistaken
        found = by_hand.gradients_by_autodiff(mistaken(*arguments), *inputs)
        for name, part in checked.parts.items():  # the forward is right, so autodiff is
            np.testing.assert_allclose(found[name], part.measured, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [-99_999_999.0, -1e6, 1e4, 1e-4])
def test_a_huge_number_is_no_mistake_and_hides_none(by_hand, size):
    for layer, mistaken in by_hand.MISTAKEN.items():
        arguments, inputs = example_of(by_hand, layer)
        if layer is not by_hand.Embedding:
            inputs[0][0, 1] = size
        parts = by_hand.gradient_check(layer(*arguments), *inputs).parts
        assert all(part.may_agree for part in parts.values()), layer
        parts = by_hand.gradient_check(mistaken(*arguments), *inputs).parts
        assert not all(part.may_agree for part in parts.values()), mistaken


def test_where_measuring_is_too_coarse_it_knows_so(by_hand):
    x = np.random.default_rng(0).normal(size=(3, 4))
    x[0, 0] = -99_999_999
    part = by_hand.gradient_check(by_hand.Dense(4, 3), x).parts["b"]
    assert not part.agrees and part.may_agree
    assert part.difference < part.unsure.max() < 0.1
    plain = by_hand.gradient_check(by_hand.Dense(4, 3), x[1:]).parts
    assert all(part.agrees and part.unsure.max() < 1e-6 for part in plain.values())


def test_a_layer_that_nobody_wrote_forwards_is_named(by_hand):
    class Doubled(by_hand.Layer):
        def forward(self, x):
            return 2 * x

    with pytest.raises(NotImplementedError, match="Doubled has no forward of tensors"):
        by_hand.gradients_by_autodiff(Doubled(), np.ones(3))


def test_adam_steps_as_torchs_does(by_hand):
    draw = np.random.default_rng(0)
    weight, gradients = draw.normal(size=(3, 2)), draw.normal(size=(5, 3, 2))
    theirs = torch.nn.Parameter(torch.tensor(weight))
    optimiser = torch.optim.Adam([theirs], lr=0.1)
    ours = by_hand.Adam({"W": weight}, lr=0.1)
    for gradient in gradients:
        theirs.grad = torch.tensor(gradient)
        optimiser.step()
        ours.step({"W": gradient})
    np.testing.assert_allclose(weight, theirs.detach().numpy(), rtol=0, atol=1e-10)
