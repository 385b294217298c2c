"""A hook point: a named place in a forward pass where anyone may look, or change what flows on.

The module itself is the identity. Who is watching is kept elsewhere: hooks of a *run* live in a
ContextVar, so that many threads can share one model and never meet each other's hooks. Hooks that
were added to the model (`add_hook`) stay on the point until they are removed.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor, nn

# Called as fn(tensor, hook=point); what it returns flows on, None leaves the tensor as it is.
Hook = Callable[..., Tensor | None]


class Watchers(NamedTuple):
    """The hooks at one point: `fwd` see the activation, `bwd` its gradient, each in order."""

    fwd: tuple[Hook, ...] = ()
    bwd: tuple[Hook, ...] = ()

    def __add__(self, other: "Watchers") -> "Watchers":
        return Watchers(self.fwd + other.fwd, self.bwd + other.bwd)


NOBODY = Watchers()
NO_RUN: Mapping["HookPoint", Watchers] = MappingProxyType({})
RUN_HOOKS: ContextVar[Mapping["HookPoint", Watchers]] = ContextVar("run_hooks", default=NO_RUN)


class HookPoint(nn.Module):
    """Identity; passes its input by every hook that watches it (TransformerLens's HookPoint)."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""  # the path from the model, filled in by HookedModel
        self.added = NOBODY

    def watchers(self) -> Watchers:
        """Hooks that were added to the model first, then those of the current run."""
        run = RUN_HOOKS.get()
        return self.added if run is NO_RUN else self.added + run.get(self, NOBODY)

    def is_watched(self) -> bool:
        run = RUN_HOOKS.get()
        return self.added != NOBODY or (run is not NO_RUN and self in run)

    def __call__(self, x: Tensor) -> Tensor:
        """Nearly always nobody watches: then this is all that a hook point costs.

        nn.Module's own way of calling is taken only for PyTorch's own kind of hooks.
        """
        if self._forward_hooks:
            return super().__call__(x)
        if RUN_HOOKS.get() is NO_RUN and self.added == NOBODY:
            return x
        return self.forward(x)

    def forward(self, x: Tensor) -> Tensor:
        fwd, bwd = self.watchers()
        for hook in fwd:
            changed = hook(x, hook=self)
            x = x if changed is None else changed
        if bwd and x.requires_grad:
            x = x.view_as(x)  # a graph node of its own: neighbours may share this very tensor
            for hook in bwd:
                x.register_hook(lambda grad, hook=hook: hook(grad, hook=self))
        return x

    def layer(self) -> int:
        """The block that this point stands in: 3 for "blocks.3.attn.hook_z"."""
        return int(self.name.split(".")[1])
