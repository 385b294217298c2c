"""What follows the first token, not the last."""

from jaxtyping import Float, Int
from torch import Tensor


def next_token(logits: Float[Tensor, "batch pos d_vocab"]) -> Int[Tensor, " batch"]:
    """The likeliest continuation of what was read."""
    return logits[:, 0].argmax(-1)
