"""Rows of a matrix that lie apart from all others, and how alike the rows of a group are.

Tokens that training hardly met are pushed the same way at every step, so their rows end up close
together and far from the rest (Land & Bartolo 2024, "Fishing for Magikarp"). The first principal
component then says little more than who belongs to them, and it hides how the others lie.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from tfs.interp.embeddings import pca

WIDE = 0.25  # of the whole range


@torch.no_grad()
def group_apart(matrix: Float[Tensor, "row d_model"]) -> list[int]:
    """The rows on the smaller side of the widest gap along the first principal component.

    None where that gap is narrower than a quarter of the range, and none where it parts a single
    row from the others. It misleads where a matrix falls into two kinds of nearly the same number:
    then the smaller kind is no exception.
    """
    first = pca(matrix, 1)[0][:, 0]
    order = first.argsort()
    gaps = first[order].diff()
    if not len(gaps) or gaps.max() <= WIDE * (first.max() - first.min()):
        return []
    cut = int(gaps.argmax()) + 1
    smaller = sorted(min(order[:cut].tolist(), order[cut:].tolist(), key=len))
    return smaller if len(smaller) > 1 else []


@torch.no_grad()
def mean_cosine(matrix: Float[Tensor, "row d_model"]) -> float:
    """The mean cosine of two different rows; NaN where there are no two.

    Found without all pairs: the squared length of the sum of n unit vectors is n plus twice the
    sum of the cosines.
    """
    unit = matrix / matrix.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    pairs = len(unit) * (len(unit) - 1)
    itself = unit.square().sum()
    return float((unit.sum(0).square().sum() - itself) / pairs) if pairs else math.nan
