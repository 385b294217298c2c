"""What the page of masks shows, computed by hand."""

import math

import torch

from tests.pages.screen import (
    maps,
)

SETTING = {"padding": ("n_padding", 3), "prefix": ("n_prefix", 4), "sliding window": ("window", 4)}


def mask_by_hand(name, pos, n=None):
    """Who sees whom, in loops."""
    n = SETTING[name][1] if n is None and name in SETTING else n
    sees = {
        "causal": lambda q, k: k <= q,
        "none": lambda q, k: True,
        "padding": lambda q, k: k <= q and k < pos - n,
        "prefix": lambda q, k: k <= q or (q < n and k < n),
        "sliding window": lambda q, k: q - n < k <= q,
    }[name]
    return torch.tensor([[sees(q, k) for k in range(pos)] for q in range(pos)])


def kept(at):
    """What the mask makes of scores of 0: they stay, or -inf replaces them; NaN where undecided."""
    (cells,) = maps(at, "mask cells").values()
    return cells


def as_kept(cells):
    return torch.zeros(cells.shape).masked_fill(~cells, -torch.inf)


def scores_by_hand(model, ids, layer, head):
    with torch.no_grad():
        _, cache = model.run_with_cache(ids[None])
    q, k = (cache[f"blocks.{layer}.attn.hook_{name}"][0, :, head] for name in "qk")
    return q @ k.T / math.sqrt(model.cfg.d_head)


def weights_by_hand(scores, mask):
    """Softmax row by row over the open keys alone."""
    weights = torch.zeros_like(scores)
    for query, row in enumerate(mask):
        keys = row.nonzero().flatten()
        terms = scores[query, keys].exp()
        weights[query, keys] = terms / terms.sum()
    return weights


def losses_by_hand(model, ids, mask):
    """The forward pass written out, block by block, under this mask."""
    with torch.no_grad():
        resid = model.embedded(ids[None])
        for block in model.blocks:
            resid = block(resid, mask)
        log_probs = model.unembed(model.ln_final(resid))[0].log_softmax(-1)
    return -torch.stack([log_probs[i, ids[i + 1]] for i in range(len(ids) - 1)])
