"""Bugs of attention: what a head reads, and how its scores become weights."""

from collections.abc import Callable

import torch
from einops import einsum

from tfs.bugs import fixed
from tfs.bugs.broken import no_scale, slices, softmax_axis
from tfs.bugs.bug import Bug
from tfs.bugs.masks import deals_out_to_open_keys


def reads_whole_vectors(into_heads: Callable) -> bool:
    """Each head's output is the whole vector times its matrix."""
    generator = torch.Generator().manual_seed(0)
    resid, W = (torch.randn(n, 3, 8, generator=generator) for n in (2, 2))
    W = W.transpose(1, 2).contiguous()  # [head d_model d_head]
    axes = "batch pos d_model, head d_model d_head -> batch pos head d_head"
    return torch.allclose(into_heads(resid, W), einsum(resid, W, axes), atol=1e-5)


def keeps_its_spread(scores: Callable) -> bool:
    """Scores of random queries and keys have a spread near 1, whatever d_head is."""
    generator = torch.Generator().manual_seed(0)
    spreads = []
    for d_head in (4, 64, 256):
        q, k = (torch.randn(8, 16, 2, d_head, generator=generator) for _ in range(2))
        spreads.append(scores(q, k).std().item())
    return all(0.8 < spread < 1.25 for spread in spreads)


BUGS = (
    Bug(
        "Heads read slices",
        "Many a reader of the paper takes the embedding apart: the first d_head numbers for the "
        "first head, the next for the second. In truth every head reads the whole vector, through "
        "a matrix that makes it smaller. With slices the shapes are right and the model learns "
        "something, but no head can look for what stands in another's slice.",
        slices.into_heads,
        fixed.into_heads,
        reads_whole_vectors,
        "What a head reads",
    ),
    Bug(
        "Softmax over the wrong axis",
        "Softmax over the queries makes columns sum to 1, not rows: each key deals itself out, and "
        "a query gets whatever is left over. Future tokens leak in, since later queries compete "
        "for the same key. Add up the weights of each query: they must make 1.",
        softmax_axis.pattern,
        fixed.pattern,
        deals_out_to_open_keys,
        "Sums of attention rows",
    ),
    Bug(
        "No division by the root of d_head",
        "A dot product of d_head random terms has a spread of the root of d_head. Undivided, such "
        "scores make softmax choose almost one key from the first step, and where it is that sure "
        "its gradient is small. In small heads a model may get over it.",
        no_scale.scores,
        fixed.scores,
        keeps_its_spread,
        "Attention before training",
    ),
)
