"""Which positions of a batch are text, and which only fill it up."""

from jaxtyping import Bool, Int
from torch import Tensor


def padding_mask(
    one_zero: Int[Tensor, "any_batch any_pos"] | Bool[Tensor, "any_batch any_pos"] | None,
    batch: int,
    pos: int,
) -> Bool[Tensor, "{batch} 1 1 {pos}"] | None:
    """What attention takes as its mask: True where a key is a real token, for every query.

    one_zero: 1 (or True) for a token, 0 for padding. Where nothing is padded there is no mask.
    Raises ValueError where it is not of the tokens' shape, [batch pos].
    """
    if one_zero is None:
        return None
    if one_zero.shape != (batch, pos):
        raise ValueError(
            f"one_zero_attention_mask has shape {tuple(one_zero.shape)}, but the tokens have "
            f"{(batch, pos)}; give each token its 1 or 0"
        )
    return None if one_zero.all() else one_zero.bool()[:, None, None]
