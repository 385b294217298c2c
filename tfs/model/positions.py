"""Position vectors, added to those of the tokens: learned, or the sines of Vaswani et al. 2017."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tfs.model.config import TransformerConfig
from tfs.sinusoids import sinusoidal


class PosEmbed(nn.Module):
    """A learned vector for each position: W_pos, [n_ctx d_model]."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.W_pos = nn.Parameter(torch.empty(cfg.n_ctx, cfg.d_model, dtype=cfg.dtype))

    def forward(
        self, tokens: Int[Tensor, "batch pos"], offset: int = 0
    ) -> Float[Tensor, "batch pos d_model"]:
        batch, pos = tokens.shape
        return self.W_pos[offset : offset + pos].expand(batch, -1, -1)


class SinusoidalPosEmbed(PosEmbed):
    """The vectors that Vaswani et al. 2017, section 3.5, computed: W_pos is fixed, not trained.

    It lies among the parameters, so that files have it, but asks for no gradient and gets none.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        fixed = sinusoidal(cfg.n_ctx, cfg.d_model).to(cfg.dtype)
        self.W_pos = nn.Parameter(fixed, requires_grad=False)


POS_EMBEDS = {"standard": PosEmbed, "sinusoidal": SinusoidalPosEmbed}
