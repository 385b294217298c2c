"""The road of any architecture: what stands on it and beside it, in order, and how long it all is.

A stack of blocks is a road. Parts beside it (attention, cross-attention, an MLP) add vectors to the
stream that runs along it. Norms stand in one of two places. In a pre-norm model each part reads a
normalised copy, and the stream itself is never touched, so it grows. In a post-norm model the norm
stands on the road, after each sum: the stream itself is normalised, again and again, so that no
earlier vector passes the whole road unchanged (Xiong et al. 2020, "On Layer Normalization in the
Transformer Architecture").
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tfs.interp.block import lengths_of_heads
from tfs.interp.cache import Cache

PARTS = {"attn": "resid_mid", "cross_attn": "resid_mid_cross", "mlp": "resid_post"}


class RoadStep(NamedTuple):
    """One part of a layer, in the order of the run, with lengths at every position.

    part: "attn", "cross_attn" or "mlp", which add to the stream, or a norm on the road ("ln1").
    """

    layer: int
    part: str
    added: Float[Tensor, "writer *batch pos"]  # by each head; by the MLP (one row); a norm: none
    stream: Float[Tensor, "*batch pos"]  # as it leaves this step


@torch.no_grad()
def road_steps(blocks: Iterable[nn.Module], cache: Cache, stack: str = "blocks") -> list[RoadStep]:
    """The steps of a stack of blocks, in whose cache names they are f"{stack}.{layer}...".

    stack: "blocks", or "encoder" and "decoder" of an encoder-decoder. Norms are steps of their own
    where they stand on the road (post-norm). Raises KeyError where the cache lacks what is needed,
    as for a parallel block, which has no stream between its parts.
    """
    steps = []
    for layer, block in enumerate(blocks):
        name = f"{stack}.{layer}"
        parts = [part for part in PARTS if hasattr(block, part)]
        for number, part in enumerate(parts, start=1):
            is_last = part == parts[-1]
            stream = cache[f"{name}.hook_{'resid_post' if is_last else PARTS[part]}"]
            steps.append(
                RoadStep(layer, part, _added(block, cache, name, part), stream.norm(dim=-1))
            )
            norm = f"ln{number}"
            needed = f"{name}.hook_normalized_resid_post", f"{name}.{norm}.hook_normalized"
            if not all(hook in cache for hook in needed):
                continue  # pre-norm, or no norms at all
            after = _normalized(block, cache, name, norm, is_last)
            none = stream.new_empty(0, *stream.shape[:-1])
            steps.append(RoadStep(layer, norm, none, after.norm(dim=-1)))
    return steps


def _added(block: nn.Module, cache: Cache, name: str, part: str) -> Tensor:
    if part == "mlp":
        return cache[f"{name}.hook_mlp_out"].norm(dim=-1)[None]
    return lengths_of_heads(cache[f"{name}.{part}.hook_z"], getattr(block, part).W_O)


def _normalized(block: nn.Module, cache: Cache, name: str, norm: str, is_last: bool) -> Tensor:
    """The stream behind a norm on the road."""
    if is_last:
        return cache[f"{name}.hook_normalized_resid_post"]
    return after_norm(getattr(block, norm), cache[f"{name}.{norm}.hook_normalized"])


def after_norm(
    norm: nn.Module, normalized: Float[Tensor, "*batch d_model"]
) -> Float[Tensor, "*batch d_model"]:
    """What leaves a norm: hook_normalized times its weight, plus its bias, where it has them."""
    weights = dict(norm.named_parameters())
    return normalized * weights.get("w", 1.0) + weights.get("b", 0.0)


def top_of_stream(cache: Cache, n_layers: int, stack: str = "blocks") -> str:
    """The name of the stream as a stack's last block leaves it, behind its norm in post-norm."""
    last = f"{stack}.{n_layers - 1}.hook_"
    after_norm = f"{last}normalized_resid_post"
    return after_norm if after_norm in cache else f"{last}resid_post"
