"""Positions inside attention: rotary turns queries and keys, ALiBi takes off for distance.

Neither adds a vector to the stream, so there is none to look at. What can be seen is what they do
to a score. With rotary positions, the same query and the same key have another score at another
distance, and the same one wherever in the text that distance lies. With ALiBi, a score falls with
distance in a straight line, steeply in the first heads and hardly at all in the last.

Both questions may be asked of a model that has no such positions: then they say what its own
queries and keys would make of them. It was not trained for that, so the answer shows the mechanism,
and not what the model can do.
"""

from typing import NamedTuple

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from tfs.angles import rotary_angles
from tfs.hooks import Openable
from tfs.interp.attention import attention_steps
from tfs.interp.cache import Cache
from tfs.interp.masks import masked_softmax
from tfs.scores import alibi_bias, alibi_slopes


class AlibiSteps(NamedTuple):
    """One layer's scores and weights without ALiBi's bias and with it."""

    without: Float[Tensor, "head query_pos key_pos"]
    biased: Float[Tensor, "head query_pos key_pos"]
    weights_without: Float[Tensor, "head query_pos key_pos"]
    weights: Float[Tensor, "head query_pos key_pos"]


def turned_to_places(
    x: Float[Tensor, " d_head"], angles: Float[Tensor, "pos pair"], adjacent: bool = False
) -> Float[Tensor, "pos d_head"]:
    """One query or key as it would be at every position: each pair of entries turned by its angle.

    Su et al. 2021, "RoFormer", equation 34. Paired are neighbours (adjacent), or entry i with entry
    i + pair; entries behind the last pair stay as they are.
    """
    pairs = angles.shape[1]
    one, other = slice(0, pairs), slice(pairs, 2 * pairs)
    if adjacent:
        one, other = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    out = x.double().repeat(len(angles), 1)
    out[:, one] = x[one] * angles.cos() - x[other] * angles.sin()
    out[:, other] = x[one] * angles.sin() + x[other] * angles.cos()
    return out.to(x.dtype)


@torch.no_grad()
def scores_by_places(
    model: Openable, cache: Cache, layer: int, head: int, query_pos: int, key_pos: int, places: int
) -> Float[Tensor, "query_pos key_pos"]:
    """The score of one query with one key, had they stood at any two of so many places.

    The query is the head's at query_pos, the key that at key_pos, both before they are turned; they
    are turned as the model does, or by rotary_base over all of d_head where it has no rotary
    positions. Along a diagonal, where the distance is the same, all scores are equal but for
    rounding (Su et al. 2021, section 3.2.1). It is the score before a soft cap, a bias and the
    mask. Raises ValueError where d_head is odd and the model does not say what to turn, KeyError
    where q or k was not cached.
    """
    cfg = model.cfg
    is_rotary = cfg.positional_embedding_type == "rotary"
    dim = cfg.rotary_dim if is_rotary else cfg.d_head
    if dim % 2:
        raise ValueError(f"entries are turned in pairs, so d_head must be even, not {dim}")
    k = cache["k", layer]
    q, k = cache["q", layer][query_pos, head], k[key_pos, head // (cfg.n_heads // k.shape[-2])]
    angles = rotary_angles(places, dim, cfg.rotary_base)
    q, k = (turned_to_places(x, angles, cfg.rotary_adjacent_pairs) for x in (q, k))
    scores = einsum(q, k, "query_pos d_head, key_pos d_head -> query_pos key_pos")
    return scores / model.blocks[layer].attn.attn_scale


def spread_of_diagonals(scores: Float[Tensor, "query_pos key_pos"]) -> float:
    """The largest difference of two scores of the same distance: 0 where distance is all."""
    n = len(scores)
    diagonals = [scores.diagonal(offset) for offset in range(1 - n, n)]
    return max((same.max() - same.min()).item() for same in diagonals)


def mean_distance(weights: Float[Tensor, "query_pos key_pos"]) -> float:
    """How far back a head looks: the distance from query to key by weight, over all queries."""
    places = torch.arange(len(weights))
    return (weights * (places[:, None] - places)).sum(-1).mean().item()


@torch.no_grad()
def alibi_steps(model: Openable, cache: Cache, layer: int) -> AlibiSteps:
    """A layer's scores and weights without ALiBi's bias and with it, on one sequence.

    In a model that has ALiBi, the biased ones are what the run used. Press et al. 2022, "Train
    Short, Test Long", section 3. Raises KeyError where q, k, attn_scores or pattern was not cached.
    """
    steps = attention_steps(model, cache, layer)
    bias = alibi_bias(alibi_slopes(model.cfg.n_heads).to(steps.scores), *steps.scores.shape[1:])
    has_bias = model.cfg.positional_embedding_type == "alibi"
    without = steps.scores - bias if has_bias else steps.scores
    seen = steps.masked[0] > -torch.inf
    both = (without, without + bias)
    return AlibiSteps(
        *(scores.masked_fill(~seen, -torch.inf) for scores in both),
        *(masked_softmax(scores, seen) for scores in both),
    )
