"""Which positions of a batch are text, and which only fill it up."""

from jaxtyping import Bool, Int
from torch import Tensor


def padding_mask(
    one_zero: Int[Tensor, "any_batch any_pos"] | Bool[Tensor, "any_batch any_pos"] | None,
    tokens: Int[Tensor, "batch pos"],
) -> Bool[Tensor, "batch 1 1 pos"] | None:
    """What attention takes as its mask: True where a key is a real token, for every query.

    one_zero: 1 (or True) for a token, 0 for padding; None where nothing is padded. Raises
    ValueError where it is not of the tokens' shape.
    """
    if one_zero is None:
        return None
    if one_zero.shape != tokens.shape:
        raise ValueError(
            f"one_zero_attention_mask has shape {tuple(one_zero.shape)}, but the tokens have "
            f"{tuple(tokens.shape)}; give each token its 1 or 0"
        )
    return one_zero.bool()[:, None, None]
