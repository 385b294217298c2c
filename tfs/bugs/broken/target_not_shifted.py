"""The token to predict is the one just read."""

from jaxtyping import Float, Int
from torch import Tensor

from tfs.bugs.fixed import PAD


def loss(
    logits: Float[Tensor, "batch pos d_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, ""]:
    """Mean of -ln p(next token), in nats, over the tokens that are no padding."""
    guesses, targets = logits, tokens
    asked = targets != PAD
    log_probs = guesses.log_softmax(-1)
    surprise = -log_probs.gather(-1, targets[..., None]).squeeze(-1)
    return surprise[asked].mean()
