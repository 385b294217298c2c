"""Running a model while looking inside it.

    logits, cache = model.run_with_cache(tokens)
    logits = model.run_with_hooks(tokens, fwd_hooks=[("blocks.0.attn.hook_z", fn)])
    with model.hooks(fwd_hooks=[...]):
        ...

Names and meanings are HookedTransformer's. One thing is stricter: hooks given to a run belong to
that run (see tfs.hooks.point). Two threads may run one model with different hooks at the same time,
and an error in a hook leaves nothing behind.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any

from torch import Tensor, nn

from tfs.hooks.cache import ActivationCache
from tfs.hooks.point import NOBODY, RUN_HOOKS, Hook, HookPoint, Watchers

NameFilter = str | Iterable[str] | Callable[[str], bool] | None
HookSpec = tuple[str | Callable[[str], bool], Hook]


class HookedModel(nn.Module):
    """A module whose HookPoints can be watched by name."""

    hook_dict: dict[str, HookPoint]  # every hook point by name, in the order they were made

    def name_hook_points(self) -> None:
        """Give every HookPoint its path as its name; a model calls this once it is built.

        Children become plain attributes as well: nn.Module would look each one up by __getattr__,
        which for a model of many small parts is a good part of the time of reading one token.
        """
        self.hook_dict = {n: m for n, m in self.named_modules() if isinstance(m, HookPoint)}
        for name, point in self.hook_dict.items():
            point.name = name
        for module in self.modules():
            vars(module).update(module._modules)

    @contextmanager
    def hooks(
        self, fwd_hooks: Iterable[HookSpec] = (), bwd_hooks: Iterable[HookSpec] = ()
    ) -> Iterator["HookedModel"]:
        """Hooks that hold inside the `with`, for this thread (or task) only.

        A hook is (name, fn) or (filter over names, fn). fwd hooks are called as fn(activation,
        hook) and bwd hooks as fn(gradient, hook); what they return, if anything, flows on instead.
        Hooks of an outer `with` run first. Raises ValueError for a name the model does not have.
        """
        run = dict(RUN_HOOKS.get())
        for specs, side in ((fwd_hooks, "fwd"), (bwd_hooks, "bwd")):
            for name, fn in specs:
                watcher = Watchers(**{side: (_takes_hook_by_name(fn),)})
                for point in self._points(name):
                    run[point] = run.get(point, NOBODY) + watcher
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
        """The model's own forward with hooks for this one run.

        bwd_hooks stay attached to the graph of this run: they fire when the caller calls backward.
        """
        with self.hooks(fwd_hooks, bwd_hooks):
            return self(*args, **kwargs)

    def run_with_cache(
        self,
        *args: Any,
        names_filter: NameFilter = None,
        remove_batch_dim: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ActivationCache]:
        """The model's output, and its activations by name.

        names_filter: one name, several, or a function of a name; None caches everything. What
        nobody caches need not be computed (the attention pattern, for one), so ask for what you
        use. Other arguments, such as stop_at_layer, go to the model's forward.
        """
        cached: dict[str, Tensor] = {}

        def save(activation: Tensor, hook: HookPoint) -> None:
            cached[hook.name] = activation.detach()

        wanted: Iterable[str | Callable[[str], bool]]
        if names_filter is None:
            wanted = [lambda name: True]
        elif callable(names_filter) or isinstance(names_filter, str):
            wanted = [names_filter]
        else:
            wanted = names_filter
        with self.hooks(fwd_hooks=[(name, save) for name in wanted]):
            output = self(*args, **kwargs)
        cache = ActivationCache(cached, self)
        return output, cache.remove_batch_dim() if remove_batch_dim else cache

    def add_hook(self, name: str | Callable[[str], bool], fn: Hook, dir: str = "fwd") -> None:
        """Attach a hook to the model itself, until reset_hooks: not for models that are shared."""
        if dir not in ("fwd", "bwd"):
            raise ValueError(f'dir must be "fwd" or "bwd", not {dir!r}')
        for point in self._points(name):
            point.added += Watchers(**{dir: (_takes_hook_by_name(fn),)})

    def reset_hooks(self) -> None:
        """Remove every hook that add_hook attached."""
        for point in self.hook_dict.values():
            point.added = NOBODY

    def _points(self, name: str | Callable[[str], bool]) -> list[HookPoint]:
        points = self.hook_dict
        if callable(name):
            return [point for path, point in points.items() if name(path)]
        if name not in points:
            close = difflib.get_close_matches(name, points, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"this model has no hook point named {name!r}{hint}")
        return [points[name]]


def _takes_hook_by_name(fn: Hook) -> Hook:
    """TransformerLens passes the point as `hook=`; a function that calls it otherwise may, too."""
    try:
        parameters = signature(fn).parameters
    except (TypeError, ValueError):
        return fn
    if "hook" in parameters or any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values()):
        return fn
    return lambda tensor, hook: fn(tensor, hook)
