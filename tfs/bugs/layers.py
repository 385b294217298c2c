"""Bugs of what stands around attention: embeddings, positions, norms, and the list of layers."""

from collections.abc import Callable

import torch
from torch import nn

from tfs.bugs import fixed
from tfs.bugs.broken import (
    embeddings_not_scaled,
    eps_outside,
    norm_order,
    positions_of_batch,
    python_list,
    shared_mlp,
)
from tfs.bugs.bug import Bug
from tfs.sinusoids import sinusoidal


def is_scaled(embedded: Callable) -> bool:
    """A token's row comes out times the root of d_model."""
    W_E = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    return torch.allclose(embedded(torch.tensor([[3, 1]]), W_E)[0], 4 * W_E[[3, 1]])


def numbers_the_tokens(positions: Callable) -> bool:
    """One sequence and several: the place is counted along each."""
    wanted = sinusoidal(7, 8)
    found = [positions(torch.ones(batch, 7, dtype=torch.long), 8) for batch in (1, 3)]
    return all(torch.equal(places.expand(3, 7, 8), wanted.expand(3, 7, 8)) for places in found)


def is_safe_on_flat_vectors(norm: Callable) -> bool:
    """torch's layer_norm, and a finite gradient for a vector of equal numbers."""
    x = torch.randn(4, 16, generator=torch.Generator().manual_seed(0)) * 1e-3
    flat = torch.ones(16, requires_grad=True)
    norm(flat).square().sum().backward()
    same = torch.allclose(norm(x), nn.functional.layer_norm(x, (16,)), atol=1e-5)
    return same and bool(flat.grad.isfinite().all())


def reads_normalised(sublayer: Callable) -> bool:
    """The layer reads the normalised stream, and its output is added as it is."""
    resid = torch.randn(1, 2, 8, generator=torch.Generator().manual_seed(0)) * 5
    wanted = resid + 3 * fixed.norm(resid)
    return torch.allclose(sublayer(resid, fixed.norm, lambda x: 3 * x), wanted, atol=1e-5)


def is_registered(stacked: Callable) -> bool:
    """A model that holds the blocks finds their weights, to train and to save."""
    model = nn.Module()
    model.blocks = stacked([nn.Linear(2, 2), nn.Linear(2, 2)])
    return len(list(model.parameters())) == len(model.state_dict()) == 4


def are_different(make_mlps: Callable) -> bool:
    """Each block's network is an object of its own."""
    mlps = make_mlps(lambda: nn.Linear(2, 2), 3)
    return len(mlps) == len({id(mlp) for mlp in mlps}) == 3


BUGS = (
    Bug(
        "Embeddings not scaled",
        "The paper multiplies embeddings by the root of d_model, since its positions are sines of "
        "size 1 and its embeddings start out small. Without that, positions drown the tokens at "
        "first. Training can make embeddings larger, so this seldom stops a model; with learned "
        "positions nothing needs to be scaled.",
        embeddings_not_scaled.embedded,
        fixed.embedded,
        is_scaled,
        "Sizes",
    ),
    Bug(
        "Positions counted along the batch",
        "len(tokens) of a tensor shaped [1, 100] is 1, not 100. So one sequence gets one place for "
        "all its tokens, and in a batch every sequence gets a place of its own: the model hears "
        "which row it reads, and not in what order. No shape complains, as it is broadcast.",
        positions_of_batch.positions,
        fixed.positions,
        numbers_the_tokens,
        "Position vectors",
    ),
    Bug(
        "Epsilon outside the square root",
        "For most vectors the two are the same to many digits, and training does not tell. They "
        "differ where a vector hardly varies: the root of 0 has an infinite slope, and a single "
        "vector of equal numbers, such as a padding row of zeros, makes the gradient NaN.",
        eps_outside.norm,
        fixed.norm,
        is_safe_on_flat_vectors,
        "The norm's gradient",
    ),
    Bug(
        "The norm in the wrong place",
        "Pre-norm: the layer reads a normalised copy, and adds what it likes. Here the norm stands "
        "after the layer instead, before the sum: the layer reads the raw stream, and whatever it "
        "says, even nothing much, is made as large as any other word. It still trains.",
        norm_order.sublayer,
        fixed.sublayer,
        reads_normalised,
        "Sizes",
    ),
    Bug(
        "Layers in a Python list",
        "nn.Module looks for weights in its attributes, and in ModuleLists, but not in a list. So "
        "the blocks compute, but state_dict does not save them, and parameters() does not give "
        "them to the optimiser either. The loss still falls a little: the embedding learns. "
        "(If the optimiser gets them by another way, only saving is broken, which is worse to "
        "find.)",
        python_list.stacked,
        fixed.stacked,
        is_registered,
        "Weights",
    ),
    Bug(
        "One feed-forward network for all blocks",
        "A list times a number repeats the same object. All blocks then share one network. Some "
        "models do that on purpose, to be smaller; by mistake it is noticed only by counting.",
        shared_mlp.make_mlps,
        fixed.make_mlps,
        are_different,
        "Weights",
    ),
)
