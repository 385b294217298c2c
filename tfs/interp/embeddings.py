"""Vectors among each other: their main directions, their angles, their neighbours.

A row of W_E is all that the model knows about a token before it reads the context. Tokens that are
used alike tend to lie close. Two warnings: a picture of two principal components shows only the
share of the variance that it states, so points far apart in 128 dimensions may touch in it; and an
untrained matrix has neighbours, too, all at cosines around 0 with a spread of 1 / sqrt(d_model).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def pca(
    matrix: Float[Tensor, "row d_model"], n_components: int = 2
) -> tuple[Float[Tensor, "row n_components"], Float[Tensor, " n_components"]]:
    """Rows in the coordinates of their principal components, and each one's share of the variance.

    The components are the eigenvectors of the centred matrix's scatter matrix (Pearson 1901), in
    float64: where two directions hold almost the same share, as in a vocabulary of near-orthogonal
    vectors, the rounding of float32 would turn the picture. Their signs are arbitrary; here each
    one's largest entry is positive, so that the same matrix always gives the same picture. Rows
    that are all equal have no variance: shares of 0.
    Raises ValueError where n_components is not between 1 and the smaller side of the matrix.
    """
    if not 1 <= n_components <= min(matrix.shape):
        raise ValueError(
            f"n_components must lie in 1 ... {min(matrix.shape)}, the smaller side of the "
            f"{list(matrix.shape)} matrix, not {n_components}"
        )
    centred = matrix.double() - matrix.double().mean(0)
    variance, directions = torch.linalg.eigh(centred.T @ centred)
    variance, directions = variance.flip(0).clamp_min(0), directions.T.flip(0)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = directions * torch.where(largest < 0, -1.0, 1.0)
    explained = variance / variance.sum().clamp_min(torch.finfo(matrix.dtype).tiny)
    points = centred @ directions[:n_components].T
    return points.to(matrix), explained[:n_components].to(matrix)


def cosine_similarity(
    a: Float[Tensor, "row d_model"], b: Float[Tensor, "column d_model"]
) -> Float[Tensor, "row column"]:
    """The cosine of the angle between each row of a and each row of b, in [-1, 1].

    A vector of length 0 has no direction; its cosines are 0.
    """
    a, b = (vectors / vectors.norm(dim=-1, keepdim=True).clamp_min(1e-12) for vectors in (a, b))
    return (a @ b.T).clamp(-1, 1)


def nearest_neighbours(
    W_E: Float[Tensor, "d_vocab d_model"], token: int, k: int = 10
) -> tuple[Float[Tensor, " k"], Int[Tensor, " k"]]:
    """The k tokens whose vectors point most nearly the same way: their cosines, and their ids.

    The token itself is left out. Of a vocabulary with fewer others than k, all of them. Raises
    ValueError for a token outside the vocabulary.
    """
    if not 0 <= token < len(W_E):
        raise ValueError(f"token must lie in 0 ... {len(W_E) - 1}, not {token}")
    cosines = cosine_similarity(W_E[token, None], W_E)[0].detach()
    cosines[token] = -torch.inf
    best = cosines.topk(min(k, len(W_E) - 1))
    return best.values, best.indices
