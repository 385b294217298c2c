"""Two models on the same tokens: how far apart their answers are.

The Kullback-Leibler divergence KL(p || q) = sum p ln(p / q) is what it costs, in nats per token, to
expect q where p is what comes (Kullback & Leibler 1951, "On Information and Sufficiency"). It is
0 only where the two are equal, and it has a direction: what p holds for possible and q does not
costs much, the reverse little. It says nothing about which of the two is right.
"""

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def kl_divergence(
    logits: Float[Tensor, "*place d_vocab"], other: Float[Tensor, "*place d_vocab"]
) -> Float[Tensor, "*place"]:
    """KL(p || q) at each place, in nats: p is the softmax of `logits`, q that of `other`."""
    log_p, log_q = logits.log_softmax(-1), other.log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1).clamp_min(0)  # rounding may fall below 0
