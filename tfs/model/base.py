"""What the three models share: random weights at the start, checks of what is read, weights by
name."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tfs.hooks import HookedModel
from tfs.model.config import TransformerConfig
from tfs.model.positions import SinusoidalPosEmbed

HEAD = ("mlm_head.", "unembed.")


def is_matrix(name: str) -> bool:
    """Of a parameter: whether it is a weight matrix, rather than a bias or a norm's weight."""
    return any(part.lstrip("_").split("_")[0] == "W" for part in name.split("."))


class TransformerModel(HookedModel):
    """A HookedModel that reads tokens; `embed` and `unembed` stand at its ends."""

    cfg: TransformerConfig
    embed: nn.Module
    unembed: nn.Module

    def init_weights(self) -> None:
        """Matrices from N(0, initializer_range), by cfg.seed where it is set; biases stay at 0."""
        generator = torch.Generator()
        if self.cfg.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.cfg.seed)
        for name, parameter in self.named_parameters():
            if is_matrix(name) and parameter.requires_grad:
                nn.init.normal_(parameter, std=self.cfg.initializer_range, generator=generator)

    def requires_grad_(self, requires_grad: bool = True) -> "TransformerModel":
        """Of every parameter; but fixed positions ("sinusoidal") stay fixed."""
        super().requires_grad_(requires_grad)
        for module in self.modules():
            if isinstance(module, SinusoidalPosEmbed):
                module.W_pos.requires_grad_(False)
        return self

    def final_stream(self, *texts: Tensor, **choices: Any) -> Float[Tensor, "batch pos d_model"]:
        """The stream that the head reads, after the last block; arguments are forward's."""
        raise NotImplementedError

    def for_unembed(
        self, resid: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        """What the unembedding reads: final_stream itself, where no more stands between."""
        return resid

    def head_is_watched(self) -> bool:
        """Whether anybody sees, or changes, what follows final_stream."""
        points = self.hook_dict.items()
        return any(point.is_watched() for name, point in points if name.startswith(HEAD))

    def looked_up(
        self, tokens: Int[Tensor, "batch pos"], *segments: Int[Tensor, "batch pos"] | None
    ) -> Float[Tensor, "batch pos d_model"]:
        """What `embed` makes of the tokens. Raises ValueError for ids outside the vocabulary."""
        try:
            return self.embed(tokens, *segments)
        except IndexError:  # of torch's lookup, which does not say what is wrong
            raise ValueError(
                f"token ids must lie in 0 ... {self.cfg.d_vocab - 1} (d_vocab is "
                f"{self.cfg.d_vocab}), but these run from {tokens.min()} to {tokens.max()}"
            ) from None

    def check_length(self, offset: int, pos: int) -> None:
        """Raises ValueError for an empty sequence, and for one longer than the context."""
        if pos == 0:
            raise ValueError("there is no token to read; give the model at least one")
        if offset + pos > self.cfg.n_ctx:
            raise ValueError(
                f"{offset + pos} tokens are more than this model's context of n_ctx = "
                f"{self.cfg.n_ctx}; shorten the text or make a model with a larger n_ctx"
            )

    @property
    def W_U(self) -> Float[Tensor, "d_model d_vocab"]:
        return self.unembed.W_U

    @property
    def b_U(self) -> Float[Tensor, " d_vocab"]:
        return self.unembed.b_U


class StackedHeads:
    """The heads' weights of all `blocks`, stacked."""

    blocks: nn.ModuleList

    @property
    def W_Q(self) -> Float[Tensor, "layer head d_model d_head"]:
        return self._stacked("W_Q")

    @property
    def W_K(self) -> Float[Tensor, "layer head d_model d_head"]:
        return self._stacked("W_K")

    @property
    def W_V(self) -> Float[Tensor, "layer head d_model d_head"]:
        return self._stacked("W_V")

    @property
    def W_O(self) -> Float[Tensor, "layer head d_head d_model"]:
        return self._stacked("W_O")

    def _stacked(self, name: str) -> Tensor:
        return torch.stack([getattr(block.attn, name) for block in self.blocks])
