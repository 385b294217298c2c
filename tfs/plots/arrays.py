"""From tensors to numpy: the first line of every plotting function."""

import numpy as np
from torch import Tensor

Array = np.ndarray | Tensor
Number = int | float


def to_numpy(values: Array) -> np.ndarray:
    """The same numbers as a numpy array, cut loose from the graph and from the device.

    Floating-point numbers become float32, which is what a browser gets to see.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    return values.astype(np.float32) if np.issubdtype(values.dtype, np.floating) else values
