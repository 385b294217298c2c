"""The layers of a classifier, each with its derivative: Dense, ReLU, Softmax and their kin."""

import numpy as np
from jaxtyping import Float

from tfs.numpy_engine.by_hand.layer import Layer


class Dense(Layer):
    """Every output is a weighted sum of all inputs, and a bias.

        y_no = sum_i x_ni W_io + b_o

    A weight W_io touches output o of every example n, so its gradient sums over the batch:

        dL/dW_io = sum_n g_no dy_no/dW_io = sum_n x_ni g_no
        dL/db_o = sum_n g_no

    An input x_ni touches every output of its own example:

        dL/dx_ni = sum_o g_no W_io
    """

    def __init__(self, d_in: int, d_out: int, seed: int = 0) -> None:
        """W [d_in d_out] of a spread that keeps a ReLU's outputs as large as its inputs; b zeros.

        He et al. 2015, "Delving deep into rectifiers".
        """
        super().__init__()
        draw = np.random.default_rng(seed)
        spread = (2 / max(d_in, 1)) ** 0.5
        self.weights = {"W": draw.normal(0, spread, (d_in, d_out)), "b": np.zeros(d_out)}

    def forward(self, x: Float[np.ndarray, "batch d_in"]) -> Float[np.ndarray, "batch d_out"]:
        self.x = x
        return x @ self.weights["W"] + self.weights["b"]

    def backward(
        self, grad_output: Float[np.ndarray, "batch d_out"]
    ) -> Float[np.ndarray, "batch d_in"]:
        self.gradients = {"W": self.x.T @ grad_output, "b": grad_output.sum(axis=0)}
        return grad_output @ self.weights["W"].T


class ReLU(Layer):
    """What is positive passes; the rest becomes 0.

        y_i = max(0, x_i)

    Where x_i > 0 the slope is 1, elsewhere 0 (at 0 itself any slope between is as good):

        dL/dx_i = g_i [x_i > 0]
    """

    def forward(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        self.is_open = x > 0
        return np.where(self.is_open, x, 0)

    def backward(self, grad_output: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        return grad_output * self.is_open


class Sigmoid(Layer):
    """Any number becomes a probability.

        y_i = 1 / (1 + exp(-x_i))

    The derivative of 1 / u is -1 / u^2, and that of exp(-x_i) is -exp(-x_i):

        dy_i/dx_i = exp(-x_i) / (1 + exp(-x_i))^2
        dy_i/dx_i = y_i (1 - y_i)
        dL/dx_i = g_i y_i (1 - y_i)
    """

    def forward(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        self.y = 0.5 * (1 + np.tanh(0.5 * x))  # the same number, and exp cannot overflow
        return self.y

    def backward(self, grad_output: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        return grad_output * self.y * (1 - self.y)


class Softmax(Layer):
    """Scores along the last axis become probabilities that sum to 1.

        p_i = exp(x_i) / sum_k exp(x_k)

    Raising one score lifts its own probability and lowers all others:

        dp_j/dx_i = p_j ([i = j] - p_i)
        dL/dx_i = sum_j g_j dp_j/dx_i = p_i (g_i - sum_j g_j p_j)
    """

    def forward(
        self, x: Float[np.ndarray, "*batch category"]
    ) -> Float[np.ndarray, "*batch category"]:
        lifted = np.exp(x - largest(x))
        self.p = lifted / lifted.sum(axis=-1, keepdims=True)
        return self.p

    def backward(
        self, grad_output: Float[np.ndarray, "*batch category"]
    ) -> Float[np.ndarray, "*batch category"]:
        mean = (grad_output * self.p).sum(axis=-1, keepdims=True)
        return self.p * (grad_output - mean)


class LogSoftmax(Layer):
    """The logarithms of softmax's probabilities, which stay exact where those round to 0.

        y_i = x_i - log sum_k exp(x_k)
        dy_j/dx_i = [i = j] - p_i

    with p_i = exp(y_i), the probability, since it is the slope of the logarithm of the sum:

        dL/dx_i = g_i - p_i sum_j g_j
    """

    def forward(
        self, x: Float[np.ndarray, "*batch category"]
    ) -> Float[np.ndarray, "*batch category"]:
        below = x - largest(x)
        self.y = below - np.log(np.exp(below).sum(axis=-1, keepdims=True))
        return self.y

    def backward(
        self, grad_output: Float[np.ndarray, "*batch category"]
    ) -> Float[np.ndarray, "*batch category"]:
        return grad_output - np.exp(self.y) * grad_output.sum(axis=-1, keepdims=True)


class Dropout(Layer):
    """While training, each number is dropped with probability r; what stays is scaled up.

        y_i = x_i m_i

    with m_i = 0 where it is dropped and 1 / (1 - r) elsewhere, so that the mean stays as it was.
    The mask is a constant once it is drawn:

        dL/dx_i = g_i m_i
    """

    def __init__(self, rate: float = 0.5, seed: int = 0) -> None:
        """Raises ValueError unless 0 <= rate < 1."""
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout's rate is {rate}; it must be at least 0 and below 1")
        self.rate, self.draw, self.training = rate, np.random.default_rng(seed), True

    def forward(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        stays = self.draw.random(x.shape) >= self.rate if self.training else np.ones(x.shape)
        self.mask = stays / (1 - self.rate) if self.training else stays
        return x * self.mask

    def backward(self, grad_output: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        return grad_output * self.mask


def largest(x: Float[np.ndarray, "*batch category"]) -> Float[np.ndarray, "*batch 1"]:
    """The largest along the last axis: less it, exp cannot overflow, and no probability changes."""
    return x.max(axis=-1, keepdims=True)
