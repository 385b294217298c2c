"""A name for a head is a hypothesis: take the head out, and see whether it is missed.

A score of tfs.interp.heads says where a head looks. A head gets the label of a score that is high
enough; whether it matters is asked of the model: its result z is replaced by its mean over the
positions of the prompt (a mean ablation; Wang et al. 2023, section 2, take the mean over a data
set), and the loss of the same tokens is measured again. A label is confirmed where that costs
clearly more than taking out any head without a label.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.hooks import Openable
from tfs.interp.heads import HEAD_SCORES
from tfs.interp.masks import loss_per_position

LEAST_SCORE = 0.2
TIMES_UNIFORM = 2.0  # a label needs so many times the score of a head that looks everywhere alike
LEAST_COST = 0.01  # nats
TIMES_OTHERS = 2.0  # "clearly more": so many times what the dearest head without a label costs


class HeadLabel(NamedTuple):
    """What a head looks like, and what it costs to do without it (nats per predicted token)."""

    layer: int
    head: int
    kind: str
    score: float
    cost: float
    others: float | None  # of the dearest head without a label, 0 at least; None: all have one
    confirmed: bool


@torch.no_grad()
def ablation_costs(model: Openable, tokens: Int[Tensor, "1 pos"]) -> Float[Tensor, "layer head"]:
    """How much the mean loss of these tokens rises when one head after the other is taken out.

    Its z becomes its mean over the positions. The heads of a layer are taken out side by side, as
    rows of one batch. NaN for a single token, of which nothing is predicted.
    """
    n_layers, n_heads = model.cfg.n_layers, model.cfg.n_heads
    copies, head = tokens.expand(n_heads, -1), torch.arange(n_heads)

    def without_own(z: Tensor, hook: object) -> Tensor:
        ablated = z.clone()  # [batch pos head d_head]; row i does without head i
        ablated[head, :, head] = z[head, :, head].mean(1, keepdim=True)
        return ablated

    whole = loss_per_position(model.run_with_hooks(tokens), tokens).mean()
    costs = torch.empty(n_layers, n_heads)
    for layer in range(n_layers):
        hooks = [(f"blocks.{layer}.attn.hook_z", without_own)]
        logits = model.run_with_hooks(copies, fwd_hooks=hooks)
        costs[layer] = loss_per_position(logits, copies).mean(-1) - whole
    return costs


def label_heads(
    scores: Mapping[str, Float[Tensor, "layer head"]],
    costs: Float[Tensor, "layer head"],
    tokens: Int[Tensor, "1 pos"],
) -> list[HeadLabel]:
    """Every label, layer by layer, with its check. scores: as `head_scores` gives them.

    A head may have several. It has one where its score is at least LEAST_SCORE, and TIMES_UNIFORM
    times that of a head which looks at all positions alike.
    """
    high = {
        kind: score >= max(LEAST_SCORE, TIMES_UNIFORM * uniform_score(kind, tokens))
        for kind, score in scores.items()
    }
    labelled = torch.stack(list(high.values())).any(0)
    rest = costs[~labelled]
    others = max(rest.max().item(), 0.0) if rest.numel() else None
    labels = []
    for layer, head in labelled.nonzero().tolist():
        cost = costs[layer, head].item()
        confirmed = cost >= max(LEAST_COST, TIMES_OTHERS * (others or 0.0))
        labels += [
            HeadLabel(layer, head, kind, score[layer, head].item(), cost, others, confirmed)
            for kind, score in scores.items()
            if high[kind][layer, head]
        ]
    return labels


def uniform_score(kind: str, tokens: Int[Tensor, "1 pos"]) -> float:
    """The score of a causal head that looks at all positions alike; NaN where there is none."""
    pos = tokens.shape[-1]
    alike = torch.ones(pos, pos).tril() / torch.arange(1, pos + 1)[:, None]
    return HEAD_SCORES[kind](alike[None, None], tokens).item()
