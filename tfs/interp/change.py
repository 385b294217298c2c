"""What training has moved: how far each part of a model is from where it was.

A part is a point in the space of its weights, and its change is the distance to where it was,
divided by how far from the origin that is: 0 means untouched, 1 moved as far as it was long. After
finetuning the question is where the new went: into all parts alike, or into a few.

It misleads where a part began small (biases begin at 0, so a tiny step is a large ratio), and where
weights move without consequence: W_Q and W_K may turn together, a dead neuron may drift. A small
change may matter more than a large one. Compare with the same training from another seed.
"""

import math

import torch
from torch import Tensor, nn


@torch.no_grad()
def weight_change(
    before: nn.Module, after: nn.Module, *, by: str = "component"
) -> dict[str, float]:
    """Of each component, |after - before| / |before|, over all its weights and biases together.

    by "component": "embed", "pos_embed", "0_ln1", "0_attn", "0_ln2", "0_mlp", ..., "ln_final",
    "unembed", as far as the model has them; by "head", attention is split into "L0H0", "L0H1", ...
    and "0_b_O", the bias that a layer's heads share. A tied unembed is the embed, and not named.
    What was all zeros has changed by infinity, or by 0 if it still is.
    Raises ValueError for another `by`, and for two models of different shapes.
    """
    if by not in ("component", "head"):
        raise ValueError(f'by must be "component" or "head", not {by!r}')
    old, new = (dict(model.named_parameters()) for model in (before, after))
    if {name: w.shape for name, w in old.items()} != {name: w.shape for name, w in new.items()}:
        raise ValueError(
            "the two models have weights of different names or shapes; compare two steps of one "
            "training, or a model and what it was finetuned into"
        )
    lengths: dict[str, tuple[float, float]] = {}
    for name, weight in old.items():
        for component, was, now in _parts(name, weight, new[name], by == "head"):
            moved, length = lengths.get(component, (0.0, 0.0))
            was, now = was.double(), now.double()
            moved += (now - was).square().sum().item()
            lengths[component] = moved, length + was.square().sum().item()
    return {component: _ratio(*squares) for component, squares in lengths.items()}


def _parts(name: str, was: Tensor, now: Tensor, heads: bool) -> list[tuple[str, Tensor, Tensor]]:
    """The components that a weight belongs to, and what of it, before and after."""
    path = name.split(".")
    if path[0] != "blocks":
        return [(path[0], was, now)]
    layer, module, weight = path[1], path[2], path[-1]
    if not (heads and module == "attn"):
        return [(f"{layer}_{module}", was, now)]
    if weight == "b_O":
        return [(f"{layer}_b_O", was, now)]
    return [(f"L{layer}H{head}", *pair) for head, pair in enumerate(zip(was, now, strict=True))]


def _ratio(moved: float, length: float) -> float:
    if length == 0:
        return math.inf if moved else 0.0
    return math.sqrt(moved / length)
