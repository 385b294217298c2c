"""x W + b gives the same numbers, gradients and FLOP counts by either library."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

BOTH_SIDES_OF_ENOUGH = [(1, 8, 8), (3, 16, 40), (64, 128, 96), (1, 768, 1024), (256, 64, 256)]


@pytest.fixture(params=[False, True], ids=["elsewhere", "on Intel's"])
def products(request, monkeypatch):
    import tfs.model.products as products

    monkeypatch.setattr(products, "MKL_IS_AT_HOME", request.param)
    return products


def make(rows, d_in, d_out):
    g = torch.Generator().manual_seed(0)
    x, W, b = (torch.randn(shape, generator=g) for shape in ((2, rows, d_in), (d_in, d_out), d_out))
    return x.requires_grad_(), (W / d_in**0.5).requires_grad_(), b.requires_grad_()


def plain(x, W, b):
    return torch.einsum("brm,mh->brh", x, W) + b


def test_the_sizes_of_these_tests_take_both_roads(products) -> None:
    assert products.HAS_ONEDNN, "torch's own CPU builds bring oneDNN along"
    sizes = [2 * rows * d_in * d_out for rows, d_in, d_out in BOTH_SIDES_OF_ENOUGH]
    assert min(sizes) < products.ENOUGH <= max(sizes)


@pytest.mark.parametrize("shape", BOTH_SIDES_OF_ENOUGH)
def test_values_and_gradients_equal_a_plain_einsum(products, shape) -> None:
    leaves = make(*shape)
    ours, reference = products.linear(*leaves), plain(*leaves)
    torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)
    upstream = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    for a, b in zip(
        torch.autograd.grad(ours, leaves, upstream),
        torch.autograd.grad(reference, leaves, upstream),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", BOTH_SIDES_OF_ENOUGH)
def test_gradients_have_gradients(products, shape) -> None:
    leaves = make(*shape)

    def penalty(product):
        grads = torch.autograd.grad(product(*leaves).sin().sum(), leaves, create_graph=True)
        return torch.autograd.grad(sum(g.square().mean() for g in grads), leaves)

    for a, b in zip(penalty(products.linear), penalty(plain), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", BOTH_SIDES_OF_ENOUGH)
def test_weights_in_any_layout_and_no_bias(products, shape) -> None:
    x, W, _ = make(*shape)
    turned = W.detach().T.contiguous().T
    torch.testing.assert_close(products.linear(x, turned), x @ W, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", BOTH_SIDES_OF_ENOUGH)
def test_float64_stays_exact(products, shape) -> None:
    leaves = [leaf.detach().double() for leaf in make(*shape)]
    torch.testing.assert_close(products.linear(*leaves), plain(*leaves), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", BOTH_SIDES_OF_ENOUGH)
def test_torch_counts_its_flops(products, shape) -> None:
    rows, d_in, d_out = shape
    x, W, b = make(*shape)
    with FlopCounterMode(display=False) as counter:
        products.linear(x, W, b)
    assert counter.get_total_flops() == 2 * 2 * rows * d_in * d_out


def test_the_count_of_a_whole_model_equals_the_arithmetic() -> None:
    """At a size where products go to oneDNN, of a run that watches every step."""
    import tfs
    from tfs.arithmetic import forward_flops_terms, total

    cfg = tfs.TransformerConfig(
        n_layers=2, d_model=128, n_ctx=64, n_heads=4, d_head=32, d_vocab=300
    )
    model, tokens = tfs.DecoderOnly(cfg), torch.randint(300, (3, 64))
    with FlopCounterMode(display=False) as counter:
        model.run_with_cache(tokens)
    assert counter.get_total_flops() == total(forward_flops_terms(cfg, 64, 3))
