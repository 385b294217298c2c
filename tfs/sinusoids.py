"""The fixed position vectors of the first Transformer: models add them, `tfs.interp` looks at them.

It stands outside the rooms, since both need it and neither may import the other.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def sinusoidal(n_ctx: int, d_model: int) -> Float[Tensor, "n_ctx d_model"]:
    """The fixed position vectors of Vaswani et al. 2017, section 3.5.

    Columns come in pairs, the sine and the cosine of pos / 10000^(2i / d_model): hands of clocks,
    the first turning once in 2 pi positions, the last nearly once in 10000 times as many. The dot
    product of two positions depends on their distance alone. With an odd d_model the last sine has
    no cosine. Raises ValueError for a size below 1.
    """
    if n_ctx < 1 or d_model < 1:
        raise ValueError(f"n_ctx and d_model must be at least 1, not {n_ctx} and {d_model}")
    pos = torch.arange(n_ctx, dtype=torch.float64)  # float32 loses digits of large angles
    column = torch.arange(d_model, dtype=torch.float64)
    pair = column - column % 2  # 0 0 2 2 4 4 ..., the paper's 2i
    angle = pos[:, None] / 10_000.0 ** (pair / d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()
