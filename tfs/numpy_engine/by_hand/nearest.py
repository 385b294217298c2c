"""What word vectors know: who stands near whom, and who is to whom as who to whom."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def unit(
    vectors: Float[np.ndarray, "*word d_model"],
) -> Float[np.ndarray, "*word d_model"]:
    """The same directions, each of length 1; a vector of zeros stays."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def cosine(one: Float[np.ndarray, " d_model"], other: Float[np.ndarray, " d_model"]) -> float:
    return float(unit(one) @ unit(other))


def nearest(
    vectors: Float[np.ndarray, "d_vocab d_model"],
    towards: Float[np.ndarray, " d_model"],
    without: Sequence[int] = (),
    most: int = 10,
) -> list[tuple[int, float]]:
    """Ids and cosines of the vectors nearest to a direction, the nearest first."""
    likeness = unit(vectors) @ unit(towards)
    order = [int(i) for i in np.argsort(-likeness, kind="stable") if i not in without]
    return [(i, float(likeness[i])) for i in order[:most]]


def solve(
    vectors: Float[np.ndarray, "d_vocab d_model"], a: int, b: int, c: int, most: int = 1
) -> list[tuple[int, float]]:
    """What is to c as b is to a: near b and c, far from a (3CosAdd), none of the three itself."""
    units = unit(vectors)
    return nearest(vectors, units[b] - units[a] + units[c], without=(a, b, c), most=most)


def analogy_accuracy(
    vectors: Float[np.ndarray, "d_vocab d_model"],
    words: Sequence[str],
    questions: Sequence[tuple[str, str, str, str]],
) -> float:
    """The share of questions (a, b, c, d) whose first answer to a, b, c is d.

    Raises ValueError where no question can be asked, since a word of each is missing.
    """
    known = {word: number for number, word in enumerate(words)}
    asked = [[known[word] for word in each] for each in questions if known.keys() >= set(each)]
    if not asked:
        raise ValueError("none of the analogies has all of its four words in this text")
    return sum(solve(vectors, a, b, c)[0][0] == d for a, b, c, d in asked) / len(asked)


def in_a_plane(
    vectors: Float[np.ndarray, "word d_model"],
) -> Float[np.ndarray, "word 2"]:
    """Coordinates along the two directions in which the vectors differ most (PCA)."""
    centred = vectors - vectors.mean(axis=0)
    if vectors.shape[1] <= 2:
        return centred
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
