"""Random graphs, with broadcasting, reuse and empty axes: forward and back as torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

UNARY = ["exp_small", "tanh", "sigmoid", "relu", "softmax", "square", "T2", "flip"]
SIZES = st.sampled_from([0, 1, 2, 3])


def unary(name, x):
    match name:
        case "exp_small":
            return (x * 0.1).exp()
        case "softmax":
            return x.softmax(-1)
        case "T2":
            return x.transpose(0, 1).transpose(0, 1) * 0.5
        case "flip":
            return x[[*reversed(range(x.shape[0]))], :] if x.shape[0] else x
        case _:
            return getattr(x, name)()


def build(leaves, plan):
    """A graph by a plan: each step takes any two nodes so far, so nodes are used repeatedly."""
    nodes = list(leaves)
    for op, i, j in plan:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        if op == "add":
            nodes.append(a + b)
        elif op == "mul":
            nodes.append((a * b).tanh())
        elif op == "sub":
            nodes.append(a - b * 0.5)
        elif op == "div":
            nodes.append(a / (b * b + 1))
        elif op == "sum":
            nodes.append(a.sum(i % 2, keepdim=True))
        elif op == "mean" and a.shape[i % 2]:
            nodes.append(a.mean(i % 2, keepdim=True))
        elif op == "matmul":
            nodes.append((a @ b.transpose(0, 1)).sum() + a if a.shape[1] == b.shape[1] else a)
        elif op in UNARY:
            nodes.append(unary(op, a))
    return sum(node.sum() for node in nodes)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(
    shape=st.tuples(SIZES, SIZES),
    repeated=st.lists(st.sampled_from(["row", "column", "number"]), min_size=1, max_size=3),
    plan=st.lists(
        st.tuples(
            st.sampled_from(["add", "mul", "sub", "div", "sum", "mean", "matmul", *UNARY]),
            st.integers(0, 30),
            st.integers(0, 30),
        ),
        min_size=1,
        max_size=12,
    ),
    seed=st.integers(0, 1000),
)
def test_random_graphs(engine, gradients_are_their_own, shape, repeated, plan, seed):
    g, (n, m) = np.random.default_rng(seed), shape
    shapes = [shape, *({"row": (1, m), "column": (n, 1), "number": (1, 1)}[r] for r in repeated)]
    arrays = [g.normal(size=one) for one in shapes]
    ours = [engine.Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    loss, expected = build(ours, plan), build(theirs, plan)
    np.testing.assert_allclose(loss.item(), expected.item(), rtol=1e-9, atol=1e-9)
    loss.backward()
    expected.backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-9, atol=1e-9)
    gradients_are_their_own(loss, np.ones(()), ours)
