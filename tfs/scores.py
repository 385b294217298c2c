"""What is done to attention scores, beside dividing and masking them: a soft cap, and ALiBi's bias.

It stands outside the rooms, since the models need it and `tfs.interp` shows it, and neither may
import the other.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def soft_capped(x: Float[Tensor, "..."], cap: float | int) -> Float[Tensor, "..."]:
    """cap * tanh(x / cap): small numbers as they are, none beyond cap. A cap of 0 or less is none.

    Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size", section 2.
    """
    return cap * (x / cap).tanh() if cap > 0 else x


def alibi_slopes(n_heads: int) -> Float[Tensor, " head"]:
    """2^(-8/n), 2^(-16/n), ..., 2^-8: how much a head minds distance, the first one most.

    Press et al. 2022, "Train Short, Test Long", section 3. The same series where n_heads is no
    power of two, as in HookedTransformer (there the paper's own code interleaves two).
    """
    return 2.0 ** (-8.0 * torch.arange(1, n_heads + 1, dtype=torch.float64) / n_heads)


def alibi_bias(
    slopes: Float[Tensor, " head"], query_pos: int, key_pos: int
) -> Float[Tensor, "head query_pos key_pos"]:
    """-slope * distance, for keys before the query; 0 for the query itself and for later keys.

    The queries are the last query_pos of the key_pos positions.
    """
    queries = torch.arange(key_pos - query_pos, key_pos, device=slopes.device)
    keys = torch.arange(key_pos, device=slopes.device)
    behind = (keys - queries[:, None]).clamp(max=0)
    return slopes[:, None, None] * behind
