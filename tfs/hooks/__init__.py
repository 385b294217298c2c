"""Hook points, the runs that watch them, and the cache they fill. Imports nothing else of ours."""

from tfs.hooks.cache import ActivationCache
from tfs.hooks.model import HookedModel
from tfs.hooks.names import act_name
from tfs.hooks.point import Hook, HookPoint
from tfs.hooks.protocol import Openable

__all__ = ["ActivationCache", "Hook", "HookPoint", "HookedModel", "Openable", "act_name"]
