"""What does a head attend to? Three scores that find the heads of an induction circuit.

previous token   to the token just before
duplicate token  to an earlier copy of the current token
induction        to the token that came right after an earlier copy of the current token

In "... A B ... A", an induction head at the second A attends to B, and so predicts that B comes
again. It takes two layers: a previous-token head first writes "A came before me" at B, and the
induction head finds B by it (Olsson et al. 2022, "In-context learning and induction heads").

Each score is an average of attention, so it lies in [0, 1] and needs nothing but the pattern. On a
sequence of random tokens, repeated, a head near 1 can hardly do anything else. On text, tokens
recur by chance and a previous-token head collects some duplicate score in "ha ha ha": scores name
candidates, and an ablation decides. A head that rests on the first token is none of the three.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.hooks import Openable


def previous_token_score(
    pattern: Float[Tensor, "*batch head query_pos key_pos"], tokens: Int[Tensor, "*batch pos"]
) -> Float[Tensor, "*batch head"]:
    """Attention to the position before, averaged over all queries but the first, which has none.

    NaN for a sequence of one token. The tokens themselves do not matter.
    """
    pos = torch.arange(tokens.shape[-1], device=tokens.device)
    before = pos[:, None] == pos[None, :] + 1
    return mean_attention(pattern, before.expand(*tokens.shape, len(pos)))


def duplicate_token_score(
    pattern: Float[Tensor, "*batch head query_pos key_pos"], tokens: Int[Tensor, "*batch pos"]
) -> Float[Tensor, "*batch head"]:
    """Attention to all earlier copies of the current token together, averaged over the queries that
    have one. NaN where no token occurs twice.
    """
    return mean_attention(pattern, earlier_copies(tokens))


def induction_score(
    pattern: Float[Tensor, "*batch head query_pos key_pos"], tokens: Int[Tensor, "*batch pos"]
) -> Float[Tensor, "*batch head"]:
    """Attention to the tokens right after earlier copies of the current one, averaged over the
    queries that have an earlier copy. NaN where no token occurs twice.

    In "a a" the token after the first a is the second a itself, the query; that counts as well.
    """
    after_copies = earlier_copies(tokens).roll(1, dims=-1)  # no copy is last, so none wraps
    return mean_attention(pattern, after_copies)


def mirror_score(
    pattern: Float[Tensor, "*batch head query_pos key_pos"], tokens: Int[Tensor, "*batch pos"]
) -> Float[Tensor, "*batch head"]:
    """Attention to the token that has to come next in a mirrored sequence, averaged over the
    queries that a token of the second half has to follow. NaN for a sequence without a middle from
    which it reads the same both ways to its end; the second half may be cut short, but half of it
    must be there.

    In "a b b a" the second b, at 2, is followed by what stands at 0; the first one by itself. In
    "a b b" the second b is the last query, and what has to come after it stands at 0 too.
    """
    pos = tokens.shape[-1]
    query = torch.arange(pos, device=tokens.device)
    half = _half_of_mirrored(tokens)[..., None, None]
    to_repeat = query[:, None] + query[None, :] == 2 * half - 2
    return mean_attention(pattern, to_repeat & (query[:, None] >= half - 1) & (half > 0))


def _half_of_mirrored(tokens: Int[Tensor, "*batch pos"]) -> Int[Tensor, "*batch"]:
    """How many tokens come before the middle; the smallest such number, and 0 if there is none."""
    pos = tokens.shape[-1]
    found = tokens.new_zeros(tokens.shape[:-1])
    for half in range(2 * pos // 3, (pos - 1) // 2, -1):
        before, after = tokens[..., 2 * half - pos : half], tokens[..., half:]
        found[(before.flip(-1) == after).all(-1)] = half
    return found


HEAD_SCORES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "previous token": previous_token_score,
    "duplicate token": duplicate_token_score,
    "induction": induction_score,
}


def earlier_copies(tokens: Int[Tensor, "*batch pos"]) -> Bool[Tensor, "*batch pos pos"]:
    """True at [query, key] where the key comes earlier and holds the same token."""
    return (tokens[..., :, None] == tokens[..., None, :]).tril(-1)


def mean_attention(
    pattern: Float[Tensor, "*batch head query_pos key_pos"],
    targets: Bool[Tensor, "*batch query_pos key_pos"],
) -> Float[Tensor, "*batch head"]:
    """The share of attention that a head spends on `targets`, averaged over queries that have any.

    A query without a target says nothing about the head and is left out. NaN where all are.
    """
    on_targets = (pattern * targets[..., None, :, :]).sum(-1)  # [*batch head query_pos]
    queries = targets.any(-1)[..., None, :]
    return (on_targets * queries).sum(-1) / queries.sum(-1)


@torch.no_grad()
def head_scores(
    model: Openable, tokens: Int[Tensor, "batch pos"]
) -> dict[str, Float[Tensor, "layer head"]]:
    """Every score of HEAD_SCORES for every head, from one run that keeps only the patterns.

    Averaged over the sequences that have a number; NaN for a score that none of them has, such as
    induction on a prompt in which no token occurs twice. There is nothing to measure then, which is
    not the same as a head that does not do it: its score is 0.
    """
    _, cache = model.run_with_cache(tokens, names_filter=lambda name: name.endswith("hook_pattern"))
    patterns = [cache["pattern", layer] for layer in range(model.cfg.n_layers)]
    return {
        name: torch.stack([score(pattern, tokens).nanmean(0) for pattern in patterns])
        for name, score in HEAD_SCORES.items()
    }
