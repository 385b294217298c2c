"""What a question may ask of a cache: activations by name, and the stream in parts.

Our ActivationCache and TransformerLens's both answer it.
"""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Cache(Protocol):
    """The activations of one run; see tfs.hooks.ActivationCache for what each method returns."""

    def __getitem__(self, name: Any) -> Tensor: ...

    def accumulated_resid(self, *args: Any, **kwargs: Any) -> Any: ...

    def decompose_resid(self, *args: Any, **kwargs: Any) -> Any: ...

    def stack_head_results(self, *args: Any, **kwargs: Any) -> Any: ...

    def apply_ln_to_stack(self, *args: Any, **kwargs: Any) -> Any: ...
