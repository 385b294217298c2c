"""How gradients find their way: depth, reuse, order, and what is refused."""

import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest


@pytest.fixture
def leaf(engine):
    return lambda *shape: engine.Tensor(
        np.random.default_rng(0).normal(size=shape), requires_grad=True
    )


def test_unbroadcast():
    from tfs.numpy_engine.arithmetic import unbroadcast

    gradient = np.arange(24.0).reshape(2, 3, 4)
    assert unbroadcast(gradient, (2, 3, 4)) is gradient
    assert np.array_equal(unbroadcast(gradient, (3, 4)), gradient.sum(0))
    assert np.array_equal(unbroadcast(gradient, (2, 1, 4)), gradient.sum(1, keepdims=True))
    assert np.array_equal(unbroadcast(gradient, (1,)), [gradient.sum()])
    assert unbroadcast(gradient, ()) == gradient.sum()
    assert unbroadcast(np.ones((0, 3)), (1, 3)).tolist() == [[0, 0, 0]]
    assert unbroadcast(np.ones((2, 0)), (0,)).shape == (0,)


CHAIN = """
from tfs.numpy_engine import Tensor
x = Tensor([1.0], requires_grad=True)
y = x
for _ in range({}):
    y = y + 1
y.backward()
del y  # taking it down must not be too deep, either
print(x.grad.tolist())
"""


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_long_chains(depth):
    """In a process of their own: checks of every annotation would take minutes."""
    command = [sys.executable, "-c", CHAIN.format(depth)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[1.0]", done.stderr


def test_a_chain_deeper_than_the_recursion_limit(leaf):
    x = leaf(1)
    y = x
    for _ in range(sys.getrecursionlimit() + 1):
        y = -y
    y.backward()
    assert x.grad.tolist() == [-1]


def test_a_ladder_of_reuse_takes_one_visit_per_node(engine, leaf):
    """Every path by itself would be 2^60 visits."""
    x = leaf()
    y = x
    for _ in range(60):
        y = (y + y) * 0.5
    assert len(list(engine.steps(y))) == 1 + 60 * 3  # each rung has a number of its own
    y.backward()
    assert x.grad.item() == pytest.approx(1)


def test_steps_and_names(engine, leaf):
    x, w = leaf(2, 3), leaf(3, 4)
    loss = (x @ w).relu().sum()
    assert [node.op for node in engine.steps(loss)] == ["", "", "matmul", "relu", "sum"]
    assert loss.parents[0].parents[0].parents in ((x, w),)
    assert list(engine.steps(x)) == [x]


def test_backward_steps_show_gradients_as_they_grow(engine, leaf):
    x = leaf()
    doubled = x * 2
    total = doubled + x
    seen = [(s.node, s.gradients.get(x)) for s in engine.backward_steps(total)]
    assert [node for node, _ in seen][0] is total and seen[0][1] == 1
    assert seen[1] == (doubled, 3) and seen[-1] == (x, 3)
    assert x.grad is None  # watching leaves nothing behind
    total.backward()
    assert x.grad.item() == 3


def test_a_second_backward_adds_the_same_once_more(leaf):
    x = leaf(3)
    y = (x * x).sum()
    y.backward()
    once = x.grad.data.copy()
    y.backward()
    assert np.array_equal(x.grad.data, 2 * once)
    x.zero_grad()
    assert x.grad is None


def test_gradients_of_two_leaves_are_separate_arrays(leaf):
    a, b = leaf(3), leaf(3)
    (a + b).sum().backward()
    a.grad.data[:] = 7
    assert b.grad.tolist() == [1, 1, 1]


def test_a_gradient_that_is_given_stays_the_givers(leaf):
    given = np.ones(3)
    a, b = leaf(3), leaf(3)
    a.backward(given)
    middle = a + b
    middle.retain_grad()
    middle.clone().backward(given)
    for tensor in (a, b, middle):
        tensor.grad.data[:] = 7
    assert given.tolist() == [1, 1, 1]
    kept = [tensor.grad.data for tensor in (a, b, middle)]
    assert not any(np.shares_memory(*two) for two in itertools.combinations(kept, 2))


def test_what_a_hook_saw_stays_as_it_was(engine, leaf):
    from tfs.numpy_engine.hooks import HookPoint

    seen, x = [], leaf(3)
    HookPoint().with_gradient_seen_by((lambda grad, hook: seen.append(grad),), x).sum().backward()
    x.grad.data[:] = 7
    assert seen[0].tolist() == [1, 1, 1]


def test_only_leaves_keep_a_gradient_unless_asked(leaf):
    x = leaf(2)
    y, z = x * 2, x * 3
    z.retain_grad()
    (y + z).sum().backward()
    assert y.grad is None and z.grad.tolist() == [1, 1]


def test_no_grad_holds_for_its_thread_only(engine, leaf):
    x, seen = leaf(2), []
    with engine.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
        assert not (x * 2).requires_grad and (x * 2).parents == ()
    assert seen == [True] and (x * 2).requires_grad


def test_detach_cuts_the_graph_and_shares_the_numbers(leaf):
    x = leaf(2)
    cut = (x * 2).detach()
    assert not cut.requires_grad and cut.is_leaf
    assert np.shares_memory(x.detach().data, x.data)
    (x * cut).sum().backward()
    assert np.array_equal(x.grad.data, cut.data)


REFUSED = {
    "add": (lambda m, x: x + np.ones(4), r"add: shapes \(2, 3\) and \(4,\)"),
    "mul": (lambda m, x: x * np.ones((5, 1, 2)), r"mul: shapes \(2, 3\) and \(5, 1, 2\)"),
    "div": (lambda m, x: x / np.ones(2), r"div: shapes \(2, 3\) and \(2,\)"),
    "compare": (lambda m, x: x > np.ones(2), r"greater than: shapes \(2, 3\) and \(2,\)"),
    "matmul": (lambda m, x: x @ x, r"matmul: shapes \(2, 3\) and \(2, 3\)"),
    "matmul batch": (
        lambda m, x: x.expand(4, 2, 3) @ m.Tensor(np.ones((5, 3, 2))),
        r"matmul: shapes \(4, 2, 3\) and \(5, 3, 2\)",
    ),
    "matmul vector": (lambda m, x: x[0] @ np.ones(2), r"matmul: shapes \(1, 3\) and \(2, 1\)"),
    "matmul number": (lambda m, x: x.sum() @ x, r"matmul: shapes \(\) and \(2, 3\)"),
    "pow": (lambda m, x: x**x, "exponent must be a plain number"),
    "reshape": (lambda m, x: x.reshape(4), r"6 numbers of shape \(2, 3\) do not fit into \(4,\)"),
    "permute": (lambda m, x: x.permute(0, 0), "names an axis twice"),
    "dim": (lambda m, x: x.sum(2), r"sum: there is no dim 2 in a tensor of shape \(2, 3\)"),
    "permute fewer": (lambda m, x: x.permute(0), "does not name each axis"),
    "dims": (lambda m, x: x.sum((0, -2)), "names an axis twice"),
    "unsqueeze": (lambda m, x: x.unsqueeze(4), "no place 4"),
    "expand": (lambda m, x: x.expand(2, 4), r"\(2, 3\) cannot be stretched to \(2, 4\)"),
    "expand fewer": (lambda m, x: x.expand(3), "cannot be stretched"),
    "index": (lambda m, x: x[5], "index 5 is out of bounds"),
    "amax": (lambda m, x: x[:0].amax(0), "nothing is largest"),
    "cat": (lambda m, x: m.cat([x, x.T]), r"cat: shapes \(2, 3\) and \(3, 2\)"),
    "cat nothing": (lambda m, x: m.cat([]), "cat: shapes nothing"),
    "stack": (lambda m, x: m.stack([x, x.T]), r"stack: shapes \(2, 3\) and \(3, 2\)"),
    "where": (lambda m, x: m.where(np.ones(2) > 0, x, 0), r"where: shapes \(2,\) and \(2, 3\)"),
    "einsum without": (lambda m, x: m.einsum(x, x), "the first or the last argument"),
    "einsum arrow": (lambda m, x: m.einsum("ij", x), "one '->'"),
    "einsum twice": (lambda m, x: m.einsum("ii->i", x), "names an axis twice"),
    "einsum axes": (lambda m, x: m.einsum("ijk->i", x), r"shapes \(2, 3\) do not fit 'ijk->i'"),
    "einsum size": (lambda m, x: m.einsum("ij,jk->ik", x, x), "do not fit 'ij,jk->ik'"),
    "einsum unknown": (lambda m, x: m.einsum("ij->k", x), "do not fit"),
    "layer_norm": (lambda m, x: m.layer_norm(x, x[:, 0], None), r"\(2, 3\) and \(2,\)"),
    "dropout": (lambda m, x: m.dropout(x, 1, np.random.default_rng(0)), "below 1, not 1"),
    "embedding": (lambda m, x: m.embedding(m.Tensor([0, 2]), x), "lie in 0 ... 1 .* 0 to 2"),
    "embedding type": (lambda m, x: m.embedding(m.Tensor([0.0]), x), "not float32"),
    "cross_entropy": (
        lambda m, x: m.cross_entropy(x, m.Tensor([0])),
        r"cross_entropy: shapes \(2, 3\) and \(1,\)",
    ),
    "cross_entropy class": (lambda m, x: m.cross_entropy(x, m.Tensor([0, 3])), "0 to 2"),
    "mse_loss": (lambda m, x: m.mse_loss(x, x.T), r"mse_loss: shapes \(2, 3\) and \(3, 2\)"),
    "item": (lambda m, x: x.item(), r"this has shape \(2, 3\)"),
    "numpy": (lambda m, x: x.numpy(), r"detach\(\).numpy\(\)"),
    "ragged": (lambda m, x: m.Tensor([[1], [1, 2]]), "rows of one length"),
    "words": (lambda m, x: m.Tensor(["a"]), "holds numbers"),
    "whole": (lambda m, x: m.Tensor([1], requires_grad=True), "int64; make it float32"),
    "whole later": (lambda m, x: m.Tensor([1]).requires_grad_(), "int64; make it float32"),
    "not a leaf": (lambda m, x: (x * 2).requires_grad_(), "only a leaf"),
    "in place": (lambda m, x: x.add_(1), "changed inside no_grad|change it inside"),
    "several": (lambda m, x: x.backward(), r"this tensor has shape \(2, 3\)"),
    "gradient": (lambda m, x: x.backward(np.ones(3)), r"shape \(3,\), but the tensor \(2, 3\)"),
    "no graph": (lambda m, x: x.detach().sum().backward(), "nothing here asks for a gradient"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_said_in_one_sentence(name, engine, leaf):
    act, says = REFUSED[name]
    with pytest.raises(ValueError, match=says) as error:
        act(engine, leaf(2, 3))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.copy_(5),
        lambda x: x.add_(1),
        lambda x: x.mul_(2),
        lambda x: x.zero_(),
        lambda x: x.__setitem__(0, 1),
        lambda x: setattr(x, "data", np.ones(3)),
        lambda x: x.detach().zero_(),
        lambda x: x[:1].zero_(),
    ],
)
@pytest.mark.parametrize("which", ["leaf", "result"])
def test_a_graph_whose_numbers_changed_is_refused(change, which, engine, leaf):
    x = leaf(3)
    y = x.exp()
    loss = y.sum()
    with engine.no_grad():
        change(x if which == "leaf" else y)
    with pytest.raises(ValueError, match="changed in place after 'exp'|after 'sum' had used it"):
        loss.backward()
    x.exp().sum().backward()  # a new graph is right again


def test_a_circle_is_refused(leaf):
    a = leaf(1)
    b = a * 2
    c = b + 1
    b.parents = (c, b.parents[1])
    with pytest.raises(ValueError, match="its own ancestor"):
        c.backward()
    b.parents = (b,)
    with pytest.raises(ValueError, match="its own ancestor"):
        b.backward()
