"""The angles of rotary positions: models turn queries and keys by them, `tfs.interp` does so too.

It stands outside the rooms, since both need it and neither may import the other.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def rotary_angles(
    n_ctx: int, rotary_dim: int, base: float | int = 10000
) -> Float[Tensor, "n_ctx pair"]:
    """By how much each pair is turned at each position, in radians: pos * base^(-2 pair / dim).

    Su et al. 2021, "RoFormer", section 3.2.2. The first pair turns once in 2 pi positions, the last
    nearly once in `base` times as many.
    """
    pos = torch.arange(n_ctx, dtype=torch.float64)  # float32 loses digits of large angles
    pair = torch.arange(rotary_dim // 2, dtype=torch.float64)
    return pos[:, None] / base ** (2 * pair / rotary_dim)
