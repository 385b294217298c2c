"""Probabilities taken for logits."""

from jaxtyping import Float, Int
from torch import Tensor

from tfs.bugs.fixed import PAD


def loss(
    logits: Float[Tensor, "batch pos d_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, ""]:
    """Mean of -ln p(next token), in nats, over the tokens that are no padding."""
    guesses, targets = logits[:, :-1], tokens[:, 1:]
    asked = targets != PAD
    log_probs = guesses.softmax(-1).log_softmax(-1)
    surprise = -log_probs.gather(-1, targets[..., None]).squeeze(-1)
    return surprise[asked].mean()
