"""Models whose unembedding is their embedding transposed (Press & Wolf 2017), on their way to disk.

As tfs.model's, their state_dict names W_U and b_U all the same, so that others can load it.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from tfs.numpy_engine.hooks import HookedModel
from tfs.numpy_engine.layers import TiedUnembed
from tfs.numpy_engine.module import Parameter


class TiedModel(HookedModel):
    """A HookedModel that may have a TiedUnembed anywhere in it."""

    def state_dict(self) -> dict[str, np.ndarray]:
        """As torch's: a tied unembedding is named too, with W_U [d_model d_vocab] and b_U 0."""
        state = super().state_dict()
        for path, _, W_E in self._tied():
            state[f"{path}.W_U"] = W_E.data.T.copy()
            state[f"{path}.b_U"] = np.zeros(len(W_E), W_E.dtype)
        return state

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Raises ValueError as Module's does, and where W_U is not the W_E that it is tied to."""
        state = dict(state)
        for path, name, _ in self._tied():
            W_U, b_U = state.pop(f"{path}.W_U", None), state.pop(f"{path}.b_U", None)
            if W_U is not None and name in state and not np.array_equal(W_U, state[name].T):
                raise ValueError(f"{path}.W_U is not {name} transposed, but this model ties them")
            if b_U is not None and b_U.any():
                raise ValueError(f"{path}.b_U is not zero, but this model ties its embeddings")
        super().load_state_dict(state)

    def _tied(self) -> Iterator[tuple[str, str, Parameter]]:
        """(path of a tied unembedding, name of its W_E, that W_E)"""
        names = {id(parameter): name for name, parameter in self.named_parameters()}
        for path, module in self.named_modules():
            if isinstance(module, TiedUnembed):
                W_E = module.seen[0].W_E
                yield path, names[id(W_E)], W_E
