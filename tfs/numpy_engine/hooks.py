"""Hook points: named places in a forward pass where anyone may look, or change what flows on.

As in tfs.hooks, hooks belong to a run and live in a ContextVar, so that threads which share a model
never meet each other's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from tfs.numpy_engine.module import Module
from tfs.numpy_engine.tensor import Tensor, result

Hook = Callable[
    ..., Any
]  # called as fn(tensor, hook=point); what it returns, if anything, flows on
HookSpec = tuple[str | Callable[[str], bool], Hook]
Watchers = tuple[tuple[Hook, ...], tuple[Hook, ...]]  # of the activation, of its gradient
NOBODY: Watchers = ((), ())
RUN_HOOKS: ContextVar[Mapping["HookPoint", Watchers]] = ContextVar("run_hooks")


class HookPoint(Module):
    """Identity; passes its input by every hook of the current run that watches it."""

    name = ""  # the path from the model, filled in by HookedModel

    def watchers(self) -> Watchers:
        return RUN_HOOKS.get({}).get(self, NOBODY)

    def is_watched(self) -> bool:
        return self.watchers() != NOBODY

    def forward(self, x: Tensor) -> Tensor:
        fwd, bwd = self.watchers()
        for hook in fwd:
            changed = hook(x, hook=self)
            x = x if changed is None else changed
        return self.with_gradient_seen_by(bwd, x) if bwd else x

    def with_gradient_seen_by(self, hooks: tuple[Hook, ...], x: Tensor) -> Tensor:
        value = x.data

        def _backward(grad: np.ndarray) -> tuple:
            for hook in hooks:
                changed = hook(Tensor(grad), hook=self)
                grad = grad if changed is None else changed.data
            return (grad.copy(),)  # a hook may have kept what it saw

        return result(value, self.name, (x,), _backward)

    def layer(self) -> int:
        """The block that this point stands in: 3 for "blocks.3.attn.hook_z"."""
        return int(self.name.split(".")[1])


class HookedModel(Module):
    """A module whose HookPoints can be watched by name."""

    hook_dict: dict[str, HookPoint]  # every hook point by name, in the order they were made

    def name_hook_points(self) -> None:
        """Give every HookPoint its path as its name; a model calls this once it is built."""
        points = {n: m for n, m in self.named_modules() if isinstance(m, HookPoint)}
        for name, point in points.items():
            point.name = name
        self.hook_dict = points

    @contextmanager
    def hooks(
        self, fwd_hooks: Iterable[HookSpec] = (), bwd_hooks: Iterable[HookSpec] = ()
    ) -> Iterator["HookedModel"]:
        """Hooks that hold inside the `with`, for this thread only.

        A hook is (name, fn) or (filter over names, fn). Raises ValueError for an unknown name.
        """
        run = dict(RUN_HOOKS.get({}))
        for side, specs in enumerate((fwd_hooks, bwd_hooks)):
            for name, fn in specs:
                for point in self._points(name):
                    both = list(run.get(point, NOBODY))
                    both[side] = (*both[side], fn)
                    run[point] = tuple(both)
        token = RUN_HOOKS.set(run)
        try:
            yield self
        finally:
            RUN_HOOKS.reset(token)

    def run_with_hooks(
        self,
        *args: Any,
        fwd_hooks: Iterable[HookSpec] = (),
        bwd_hooks: Iterable[HookSpec] = (),
        **kwargs: Any,
    ) -> Any:
        """The model's own forward with hooks for this one run; bwd_hooks fire in its backward."""
        with self.hooks(fwd_hooks, bwd_hooks):
            return self(*args, **kwargs)

    def run_with_cache(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Tensor]]:
        """The model's output, and every activation by its hook's name, cut off the graph."""
        cache: dict[str, Tensor] = {}

        def save(activation: Tensor, hook: HookPoint) -> None:
            cache[hook.name] = activation.detach()

        return self.run_with_hooks(*args, fwd_hooks=[(lambda name: True, save)], **kwargs), cache

    def _points(self, name: str | Callable[[str], bool]) -> list[HookPoint]:
        if callable(name):
            return [point for path, point in self.hook_dict.items() if name(path)]
        if name not in self.hook_dict:
            raise ValueError(f"this model has no hook point named {name!r}")
        return [self.hook_dict[name]]
