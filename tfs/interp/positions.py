"""Positions: how a model without recurrence knows what stands where.

Attention by itself sees a bag of tokens. A vector for each position, added to the token's, tells
them apart. The first Transformer computed it from sines; GPT-2 learns it. Either way the question
is what the vectors have in common: if neighbours are similar and far positions are not, a head can
find "nearby" by a dot product, and if the similarity hangs on the distance alone, it can find it
from anywhere in the text.

It misleads where all vectors share a large part, as learned ones often do: then every cosine is
near 1 and the differences, which are what the model uses, are small beside it. Positions that were
rare in training stay near their random start. And the heads read through W_Q and W_K, which may
ignore what is most visible here.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tfs.interp.embeddings import cosine_similarity


def sinusoidal_rotation(distance: int, d_model: int) -> Float[Tensor, "d_model d_model"]:
    """The matrix that turns the sinusoidal vector of any position into that of pos + distance.

    sinusoidal(...)[pos] @ rotation equals sinusoidal(...)[pos + distance], with the same rotation
    for every pos: "for any fixed offset k, PE(pos+k) can be represented as a linear function of
    PE(pos)" (Vaswani et al. 2017, section 3.5). Each pair of a sine and a cosine is turned by its
    own angle, distance / 10000^(2i / d_model). So a head can learn "k places back" as one matrix.
    Raises ValueError where d_model is not even and at least 2: a sine alone cannot be turned.
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model must be even and at least 2, not {d_model}")
    i = torch.arange(d_model // 2, dtype=torch.float64)
    angle = distance / 10_000.0 ** (2 * i / d_model)
    rotation = torch.zeros(d_model, d_model, dtype=torch.float64)
    sines, cosines = torch.arange(0, d_model, 2), torch.arange(1, d_model, 2)
    rotation[sines, sines] = rotation[cosines, cosines] = angle.cos()
    rotation[cosines, sines], rotation[sines, cosines] = angle.sin(), -angle.sin()
    return rotation.float()


@torch.no_grad()
def similarity_by_distance(
    W_pos: Float[Tensor, "n_ctx d_model"],
) -> tuple[Float[Tensor, " distance"], Float[Tensor, " distance"]]:
    """The cosine between position vectors by how far apart they are: its mean, and its spread.

    Entry i is about all pairs of positions i apart, from 0 to n_ctx - 1: the mean of their cosines
    and their standard deviation. A small spread says that the similarity depends on the distance
    alone. The further apart, the fewer pairs; the last entry is a single one, so its spread is 0.
    """
    cosines = cosine_similarity(W_pos, W_pos)
    by_distance = [cosines.diagonal(distance) for distance in range(len(W_pos))]
    mean = torch.stack([pairs.mean() for pairs in by_distance])
    spread = torch.stack([pairs.std(correction=0) for pairs in by_distance])
    return mean, spread
