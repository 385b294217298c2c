"""Every operation, forward and backward, beside torch's in float64 and beside differences."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

SAME = {  # written once, since the methods have torch's names
    "add": (lambda a, b: a + b, [(2, 3), (3,)]),
    "add a number": (lambda a: 1.5 + a + 2, [(2, 3)]),
    "sub": (lambda a, b: a - b, [(2, 1), (2, 3)]),
    "rsub": (lambda a: 1 - a, [(3,)]),
    "mul": (lambda a, b: a * b, [(2, 3), (4, 1, 3)]),
    "mul with itself": (lambda a: a * a + a, [(2, 3)]),
    "div": (lambda a, b: a / (b * b + 1), [(2, 3), (2, 1)]),
    "rdiv": (lambda a: 2 / (a * a + 1), [(3,)]),
    "neg": (lambda a: -a, [(3,)]),
    "pow": (lambda a: a**3 + a**2.0 + a**0, [(2, 3)]),
    "pow -0.5": (lambda a: (a * a + 1) ** -0.5, [(2, 3)]),
    "square": (lambda a: a.square(), [(2, 3)]),
    "matmul": (lambda a, b: a @ b, [(2, 3), (3, 4)]),
    "matmul rows": (lambda a, b: a @ b, [(5, 2, 3), (3, 4)]),
    "matmul batched": (lambda a, b: a @ b, [(5, 2, 3), (5, 3, 4)]),
    "matmul broadcast": (lambda a, b: a @ b, [(5, 1, 2, 3), (6, 3, 4)]),
    "matmul left shared": (lambda a, b: a @ b, [(2, 3), (6, 3, 4)]),
    "matmul vectors": (lambda a, b: a @ b, [(3,), (3,)]),
    "matmul vector left": (lambda a, b: a @ b, [(3,), (5, 3, 4)]),
    "matmul vector right": (lambda a, b: a @ b, [(5, 2, 3), (3,)]),
    "matmul over nothing": (lambda a, b: a @ b, [(2, 0), (0, 3)]),
    "matmul of no rows": (lambda a, b: a @ b, [(0, 2, 3), (3, 4)]),
    "exp": (lambda a: a.exp(), [(2, 3)]),
    "log": (lambda a: (a * a + 0.5).log(), [(2, 3)]),
    "sqrt": (lambda a: (a * a + 0.5).sqrt(), [(2, 3)]),
    "abs": (lambda a: a.abs(), [(2, 3)]),
    "tanh": (lambda a: a.tanh(), [(2, 3)]),
    "sigmoid": (lambda a: a.sigmoid(), [(2, 3)]),
    "relu": (lambda a: a.relu(), [(2, 3)]),
    "sum": (lambda a: a.sum(), [(2, 3)]),
    "sum dim": (lambda a: a.sum(1), [(2, 3)]),
    "sum dims kept": (lambda a: a.sum((0, -1), keepdim=True), [(2, 3, 4)]),
    "sum of nothing": (lambda a: a.sum(0), [(0, 3)]),
    "mean": (lambda a: a.mean(), [(2, 3)]),
    "mean dim": (lambda a: a.mean(-1, keepdim=True), [(2, 3)]),
    "var": (lambda a: a.var(-1), [(2, 3)]),
    "var all": (lambda a: a.var(correction=0), [(2, 3)]),
    "amax": (lambda a: a.amax(1), [(4, 3)]),
    "amax kept": (lambda a: a.amax((0, 1), keepdim=True), [(4, 3, 2)]),
    "amax shared": (lambda a: (a * 0).amax(1), [(4, 3)]),
    "max": (lambda a: a.max(), [(4, 3)]),
    "softmax": (lambda a: a.softmax(-1), [(4, 3)]),
    "softmax dim": (lambda a: a.softmax(0), [(4, 3)]),
    "softmax of none": (lambda a: a.softmax(-1), [(0, 3)]),
    "log_softmax": (lambda a: a.log_softmax(1), [(4, 3, 2)]),
    "reshape": (lambda a: a.reshape(3, -1) * 2, [(2, 3)]),
    "view": (lambda a: a.view((3, 2)), [(2, 3)]),
    "permute": (lambda a: a.permute(2, 0, 1), [(2, 3, 4)]),
    "transpose": (lambda a: a.transpose(0, -1), [(2, 3, 4)]),
    "swapaxes": (lambda a: a.swapaxes(1, 2), [(2, 3, 4)]),
    "T": (lambda a: a.T, [(2, 3)]),
    "flatten": (lambda a: a.flatten(1, 2), [(2, 3, 4)]),
    "flatten all": (lambda a: a.flatten(), [(2, 3, 4)]),
    "flatten nothing": (lambda a: a.flatten(1), [(2, 0, 4)]),
    "squeeze": (lambda a: a.squeeze(), [(2, 1, 3, 1)]),
    "squeeze dim": (lambda a: a.squeeze(1).squeeze(0), [(2, 1, 3)]),
    "unsqueeze": (lambda a: a.unsqueeze(-1).unsqueeze(0), [(2, 3)]),
    "expand": (lambda a: a.expand(4, -1, 3), [(2, 1)]),
    "slice": (lambda a: a[1:, ::2], [(3, 4)]),
    "ellipsis": (lambda a: a[..., None, 1], [(3, 4)]),
    "fancy": (lambda a: a[[0, 2, 2, 0]], [(3, 4)]),
    "fancy pairs": (lambda a: a[[0, 2, 2], [1, 1, 1]], [(3, 4)]),
    "clone": (lambda a: a.clone() * a, [(3,)]),
    "rows one by one": (lambda a: sum(row * row for row in a), [(3, 2)]),
    "a node used twice": (lambda a: (a.exp() * a.exp().tanh() + a).sum(), [(3, 2)]),
}
PAIRS = {  # ours and torch's differ in name or place
    "gelu": (lambda a: a.gelu(), F.gelu, [(2, 3)]),
    "gelu_new": (lambda a: a.gelu_new(), lambda a: F.gelu(a, approximate="tanh"), [(2, 3)]),
    "silu": (lambda a: a.silu(), F.silu, [(2, 3)]),
    "mask": (
        lambda a: a[np.eye(3, dtype=bool)],
        lambda a: a[torch.eye(3, dtype=torch.bool)],
        [(3, 3, 2)],
    ),
    "rmatmul": (lambda a: np.eye(2) @ a, lambda a: torch.eye(2).double() @ a, [(2, 3)]),
    "masked_fill": (
        lambda a: a.masked_fill(np.eye(3, dtype=bool), -9.0),
        lambda a: a.masked_fill(torch.eye(3, dtype=torch.bool), -9.0),
        [(2, 3, 3)],
    ),
}


def arrays(shapes, seed=0):
    g = np.random.default_rng(seed)
    return [g.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("name", SAME)
def test_methods(name, same_as_torch, same_as_differences):
    function, shapes = SAME[name]
    same_as_torch(function, function, *arrays(shapes))
    if name != "amax shared":  # differences see one side of a corner at a time
        same_as_differences(function, *arrays(shapes))


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name, same_as_torch, same_as_differences):
    ours, theirs, shapes = PAIRS[name]
    same_as_torch(ours, theirs, *arrays(shapes))
    same_as_differences(ours, *arrays(shapes))


@pytest.mark.parametrize("name", ["cat", "concatenate", "stack"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_joining(name, dim, engine, same_as_torch, same_as_differences):
    ours, theirs = ((lambda a, b, m=m: getattr(m, name)([a, b, a], dim)) for m in (engine, torch))
    same_as_torch(ours, theirs, *arrays([(2, 3), (2, 3)]))
    same_as_differences(ours, *arrays([(2, 3), (2, 3)]))


def test_where(engine, same_as_torch, same_as_differences):
    condition = np.array([[True], [False]])
    shapes = arrays([(3,), (2, 1)])
    same_as_torch(
        lambda a, b: engine.where(condition, a, b),
        lambda a, b: torch.where(torch.tensor(condition), a, b),
        *shapes,
    )
    same_as_differences(lambda a, b: engine.where(condition, a, b), *shapes)


EINSUMS = {
    "bi,ij->bj": [(2, 3), (3, 4)],
    "bqhd,bkhd->bhqk": [(2, 3, 4, 5), (2, 6, 4, 5)],
    "bhqk,bkhd->bqhd": [(2, 4, 3, 6), (2, 6, 4, 5)],
    "bpm,hmd->bphd": [(2, 3, 4), (5, 4, 2)],
    "ij->ji": [(2, 3)],
    "ij->": [(2, 3)],
    "ij,k->i": [(2, 3), (4,)],
    "i,j->ij": [(2,), (3,)],
    "i,i,i->i": [(2,), (2,), (2,)],
    "ab,bc,cd->ad": [(2, 3), (3, 4), (4, 5)],
    "ab,bc->ac": [(2, 0), (0, 4)],
}


@pytest.mark.parametrize("spec", EINSUMS)
def test_einsum(spec, engine, same_as_torch, same_as_differences):
    shapes = arrays(EINSUMS[spec])
    same_as_torch(lambda *x: engine.einsum(spec, *x), lambda *x: torch.einsum(spec, *x), *shapes)
    same_as_differences(lambda *x: engine.einsum(spec, *x), *shapes)


def test_einsum_in_words(engine):
    x, W = map(engine.Tensor, arrays([(2, 3, 4), (5, 4, 2)]))
    words = "batch pos d_model, head d_model d_head -> batch pos head d_head"
    assert np.array_equal(
        engine.einsum(x, W, words).data, engine.einsum("bpm,hmd->bphd", x, W).data
    )


@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 3), (2, 4, 3)])
def test_linear(engine, same_as_torch, same_as_differences, shape):
    g = np.random.default_rng(0)
    x, weight, bias = g.normal(size=shape), g.normal(size=(5, 3)), g.normal(size=5)
    for arrays in ((x, weight, bias), (x, weight)):
        same_as_torch(engine.linear, F.linear, *arrays)
        same_as_differences(engine.linear, *arrays)
    with pytest.raises(ValueError, match=r"linear: shapes \(2, 4\) and \(5, 3\)"):
        engine.linear(engine.Tensor(np.zeros((2, 4))), engine.Tensor(weight))


def test_layer_norm(engine, same_as_torch, same_as_differences):
    shapes = arrays([(2, 3, 4), (4,), (4,)])
    same_as_torch(engine.layer_norm, lambda x, w, b: F.layer_norm(x, (4,), w, b), *shapes)
    same_as_differences(engine.layer_norm, *shapes)
    same_as_torch(
        lambda x: engine.layer_norm(x, None, None, 0.1),
        lambda x: F.layer_norm(x, (4,), eps=0.1),
        shapes[0],
    )


def test_embedding(engine, same_as_torch, same_as_differences):
    ids = np.array([[0, 2, 2], [4, 0, 0]])
    ours = lambda W: engine.embedding(engine.Tensor(ids), W)  # noqa: E731
    same_as_torch(ours, lambda W: F.embedding(torch.tensor(ids), W), *arrays([(5, 3)]))
    same_as_differences(ours, *arrays([(5, 3)]))


def test_plain_numbers_take_the_precision_of_the_tensor_beside_them(engine):
    for dtype in ("float32", "float64"):
        x = engine.Tensor(np.ones(2, dtype))
        tenth = np.array(0.1, dtype)
        for made in (x * 0.1, x * [0.1, 0.1], (0.1, 0.1) * x, x.clone().mul_(0.1)):
            assert made.dtype == dtype and (made.data == tenth).all()
        assert (engine.Tensor(np.zeros(2, dtype)).add_([0.1, 0.1]).data == tenth).all()
    mixed = engine.Tensor(np.ones(2, "float32")) * engine.Tensor(np.full(2, 0.1))
    assert mixed.dtype == "float64" and (mixed.data == 0.1).all()


def test_an_index_may_be_a_tensor(engine, same_as_torch):
    ids = np.array([[2, 0], [2, 2]])
    same_as_torch(
        lambda a: a[engine.Tensor(ids), 1:], lambda a: a[torch.tensor(ids), 1:], *arrays([(3, 4)])
    )


def test_dropout_keeps_the_mean_and_repeats_by_its_seed(engine, same_as_differences):
    def ours(x):
        return engine.dropout(x, 0.25, np.random.default_rng(0))

    same_as_differences(ours, *arrays([(3, 4)]))
    dropped = ours(engine.Tensor(np.ones(10_000))).data
    assert set(np.unique(dropped)) == {0, 1 / 0.75}
    assert abs(dropped.mean() - 1) < 0.02


def test_cross_entropy(engine, same_as_torch, same_as_differences):
    targets = np.array([[0, 4, -100], [2, 2, 1]])
    ours = lambda x: engine.cross_entropy(x, engine.Tensor(targets))  # noqa: E731
    same_as_torch(
        ours,
        lambda x: F.cross_entropy(x.flatten(0, 1), torch.tensor(targets).flatten()),
        *arrays([(2, 3, 5)]),
    )
    same_as_differences(ours, *arrays([(2, 3, 5)]))
    nothing = engine.cross_entropy(engine.Tensor(np.ones((1, 3))), engine.Tensor([-100]))
    assert np.isnan(nothing.item())


@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "mse_loss"])
def test_other_losses(name, engine, same_as_torch, same_as_differences):
    targets = np.random.default_rng(3).uniform(size=(3, 4))
    ours = lambda x: getattr(engine, name)(x, engine.Tensor(targets))  # noqa: E731
    theirs = lambda x: getattr(F, name)(x, torch.tensor(targets))  # noqa: E731
    same_as_torch(ours, theirs, *arrays([(3, 4)]))
    same_as_differences(ours, *arrays([(3, 4)]))
    far = np.array([800.0, -800.0])
    if name.startswith("binary"):
        same_as_torch(
            lambda x: engine.binary_cross_entropy_with_logits(x, engine.Tensor([0, 1])),
            lambda x: F.binary_cross_entropy_with_logits(x, torch.tensor([0.0, 1.0]).double()),
            far,
        )


def test_negative_sampling(engine, same_as_torch, same_as_differences):
    def theirs(centre, context, negatives):
        together = (centre * context).sum(-1)
        apart = torch.einsum("bnd,bd->bn", negatives, centre)
        return -(F.logsigmoid(together) + F.logsigmoid(-apart).sum(-1)).mean()

    shapes = arrays([(3, 4), (3, 4), (3, 2, 4)])
    same_as_torch(engine.negative_sampling, theirs, *shapes)
    same_as_differences(engine.negative_sampling, *shapes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_keep_their_digits(dtype, engine):
    """Plain numbers, whole numbers and numpy's own do not turn float32 into float64."""
    x = engine.Tensor(np.ones((2, 3), dtype=dtype), requires_grad=True)
    y = 2 * x + 1.5 - np.float64(3) / (x * np.int64(2)) + engine.Tensor([1, 2, 3])
    y = (y.gelu() + y.gelu_new() + y.silu() + y.sigmoid().tanh().relu()) ** 2
    y = engine.layer_norm(y, x[0], x[1]) + y.softmax(-1) + y.log_softmax(-1) + y.var(-1, True)
    z = engine.where(y > 0, y, 0.0).masked_fill(y.data < -1, -1.0) / y.mean()
    assert y.dtype == z.dtype == z.max().dtype == z.sqrt().dtype == dtype
    loss = engine.cross_entropy(z, engine.Tensor([0, 2]))
    assert loss.dtype == dtype
    with np.errstate(all="ignore"):
        loss.backward()
    assert x.grad.dtype == dtype


def test_plain_numbers_are_float32_and_int64_as_in_torch(engine):
    assert engine.Tensor([1.0]).dtype == np.float32
    assert engine.Tensor([1]).dtype == np.int64
    assert engine.Tensor(np.ones(1)).dtype == np.float64
    assert (engine.Tensor([1]) * 2).dtype == np.int64
    assert (engine.Tensor([1]) * 2.5).dtype == (2.5 + engine.Tensor([True])).dtype == np.float32


def test_rows_of_minus_infinity_become_zeros(engine):
    x = engine.Tensor(np.array([[-np.inf, -np.inf], [0.0, -np.inf]]), requires_grad=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.isnan(x.log_softmax(-1).data[0]).all(), "as torch's"
    pattern = x.softmax(-1)
    assert pattern.tolist() == [[0, 0], [1, 0]]
    pattern.sum().backward()
    assert np.isfinite(x.grad.data).all()
