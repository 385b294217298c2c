"""Rotary positions: queries and keys are turned by an angle that grows with their position.

Su et al. 2021, "RoFormer", section 3.2. Entries of a head go in pairs, and each pair is turned like
the hand of a clock, some fast, some slow. A score is a dot product, which only sees the angle
between the two hands: so it depends on how far apart query and key are, and not on where.
"""

import functools

import einops
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tfs.angles import rotary_angles
from tfs.model.config import TransformerConfig


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)
def _tables(
    n_ctx: int,
    rotary_dim: int,
    base: float | int,
    adjacent: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """cos and sin, [n_ctx 1 rotary_dim]: one pair of tables for all layers of a model.

    device: the default one. A model made on "meta", for its shapes, must not leave tables without
    numbers to the next.
    """
    pairs = "pos pair -> pos 1 (pair two)" if adjacent else "pos pair -> pos 1 (two pair)"
    angles = einops.repeat(rotary_angles(n_ctx, rotary_dim, base), pairs, two=2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


class Rotary(nn.Module):
    """Turns the first rotary_dim entries of each query or key; the others stay as they are.

    Paired are neighbours with rotary_adjacent_pairs (Su et al., GPT-J), otherwise entry i with
    i + rotary_dim / 2 (GPT-NeoX, Llama): the same but for the order of a head's entries.
    """

    cos: Float[Tensor, "n_ctx 1 rotary_dim"]
    sin: Float[Tensor, "n_ctx 1 rotary_dim"]

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.rotary_dim = cfg.rotary_dim
        self.quarter_turn = _turn_neighbours if cfg.rotary_adjacent_pairs else _turn_halves
        adjacent = cfg.rotary_adjacent_pairs
        sizes = cfg.n_ctx, cfg.rotary_dim, cfg.rotary_base
        cos, sin = _tables(*sizes, adjacent, cfg.dtype, torch.get_default_device())
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(
        self, x: Float[Tensor, "batch pos head d_head"], offset: int = 0
    ) -> Float[Tensor, "batch pos head d_head"]:
        """offset: how many positions came before these."""
        turned, rest = x[..., : self.rotary_dim], x[..., self.rotary_dim :]
        here = slice(offset, offset + x.shape[1])
        turned = turned * self.cos[here] + self.quarter_turn(turned) * self.sin[here]
        return torch.cat([turned, rest], dim=-1) if rest.shape[-1] else turned


def _turn_neighbours(x: Float[Tensor, "... dim"]) -> Float[Tensor, "... dim"]:
    """Each pair (first, second) becomes (-second, first)."""
    return torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)


def _turn_halves(x: Float[Tensor, "... dim"]) -> Float[Tensor, "... dim"]:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)
