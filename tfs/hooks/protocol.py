"""What an interpretability question may ask of a model: no more than this.

DecoderOnly and TransformerLens's HookedTransformer both answer it, so every function in tfs.interp
works on either.
"""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from tfs.hooks.cache import ActivationCache


@runtime_checkable
class Openable(Protocol):
    """A model that can be looked into; weights of layers are stacked."""

    cfg: Any
    W_E: Tensor  # [d_vocab d_model]
    W_U: Tensor  # [d_model d_vocab]
    b_U: Tensor  # [d_vocab]
    W_Q: Tensor  # [layer head d_model d_head]
    W_K: Tensor
    W_V: Tensor
    W_O: Tensor  # [layer head d_head d_model]
    blocks: Any  # blocks[layer] has .attn (b_O, attn_scale, ...), .ln1 and, with an MLP, .ln2, .mlp
    ln_final: Any  # callable: [... d_model] -> [... d_model]

    def run_with_cache(self, *args: Any, **kwargs: Any) -> tuple[Any, ActivationCache]: ...

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any: ...

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]: ...
