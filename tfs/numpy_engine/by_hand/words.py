"""The layers of word vectors, each with its derivative: Embedding, AxisMean, AxisDot."""

import numpy as np
from jaxtyping import Float, Int

from tfs.numpy_engine.by_hand.layer import Layer


class Embedding(Layer):
    """Row by row, the vector of each id.

        y_nd = W_(t_n)d

    with t_n the id at place n. A row is touched by every place that holds its id, so their
    gradients add up. An id has no gradient: it is a choice, and cannot move a little.

        dL/dW_vd = sum_n g_nd [t_n = v]
    """

    def __init__(self, d_vocab: int, d_model: int, seed: int = 0, spread: float = 1.0) -> None:
        """W [d_vocab d_model], drawn with this standard deviation."""
        super().__init__()
        draw = np.random.default_rng(seed)
        self.weights = {"W": draw.normal(0, spread, (d_vocab, d_model))}

    def forward(self, ids: Int[np.ndarray, "*place"]) -> Float[np.ndarray, "*place d_model"]:
        """Raises ValueError for an id that has no row."""
        d_vocab = len(self.weights["W"])
        if ids.size and not (0 <= ids.min() and ids.max() < d_vocab):
            wrong = ids.min() if ids.min() < 0 else ids.max()
            raise ValueError(f"id {wrong} has no row: the table has {d_vocab}, counted from 0")
        self.ids = ids
        return self.weights["W"][ids]

    def backward(self, grad_output: Float[np.ndarray, "*place d_model"]) -> None:
        gradient = np.zeros_like(self.weights["W"])
        np.add.at(gradient, self.ids, grad_output)
        self.gradients = {"W": gradient}


class AxisMean(Layer):
    """The mean over one axis: of the words around a gap, say.

        y_d = 1 / n sum_k x_kd

    Each of the n vectors moves the mean by one n-th of its own move:

        dL/dx_kd = g_d / n
    """

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Raises ValueError where there is nothing to take the mean of."""
        if not x.shape[self.axis]:
            raise ValueError(f"axis {self.axis} of {list(x.shape)} is empty, so it has no mean")
        self.shape = x.shape
        return x.mean(axis=self.axis)

    def backward(self, grad_output: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        shared = np.expand_dims(grad_output, self.axis) / self.shape[self.axis]
        return np.broadcast_to(shared, self.shape).copy()


class AxisDot(Layer):
    """The dot product along the last axis, of one vector with each of several.

        y_bk = sum_d u_bd v_bkd

    Of a product, each factor's slope is the other factor. One u_b meets every v_bk of its example,
    so its gradient sums over them:

        dL/du_bd = sum_k g_bk v_bkd
        dL/dv_bkd = g_bk u_bd
    """

    def forward(
        self,
        one: Float[np.ndarray, "batch d_model"],
        several: Float[np.ndarray, "batch word d_model"],
    ) -> Float[np.ndarray, "batch word"]:
        self.one, self.several = one, several
        return (one[:, None] * several).sum(axis=-1)

    def backward(
        self, grad_output: Float[np.ndarray, "batch word"]
    ) -> tuple[Float[np.ndarray, "batch d_model"], Float[np.ndarray, "batch word d_model"]]:
        grad_each = grad_output[..., None]
        return (grad_each * self.several).sum(axis=1), grad_each * self.one[:, None]
