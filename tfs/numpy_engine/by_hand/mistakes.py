"""Backwards as they are often written wrong; a gradient check finds every one of them."""

import numpy as np

from tfs.numpy_engine.by_hand.layers import Dense, Dropout, LogSoftmax, ReLU, Sigmoid, Softmax
from tfs.numpy_engine.by_hand.words import AxisDot, AxisMean, Embedding


class DenseOfOneExample(Dense):
    """The sum over the batch is forgotten: only the first example teaches."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self.gradients = {"W": np.outer(self.x[0], grad_output[0]), "b": grad_output[0]}
        return grad_output @ self.weights["W"].T


class ReLUAlwaysOpen(ReLU):
    """The gradient passes where the input did not."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output


class SigmoidWithoutComplement(Sigmoid):
    """The factor 1 - y is forgotten."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output * self.y


class SoftmaxDiagonal(Softmax):
    """Each score is thought to move its own probability alone."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output * self.p * (1 - self.p)


class LogSoftmaxWithoutSum(LogSoftmax):
    """The sum over all gradients is forgotten."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output - np.exp(self.y) * grad_output


class DropoutUnscaled(Dropout):
    """What stays is scaled on the way there, and not on the way back."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output * (self.mask > 0)


class EmbeddingOverwrites(Embedding):
    """An id that stands twice keeps the last place's gradient: = where += was meant."""

    def backward(self, grad_output: np.ndarray) -> None:
        gradient = np.zeros_like(self.weights["W"])
        gradient[self.ids] = grad_output
        self.gradients = {"W": gradient}


class AxisMeanLikeSum(AxisMean):
    """The division by n is forgotten."""

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.expand_dims(grad_output, self.axis), self.shape).copy()


class AxisDotAveraged(AxisDot):
    """The gradient of u is the mean over the vectors v that it meets, where it is their sum."""

    def backward(self, grad_output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grad_each = grad_output[..., None]
        return (grad_each * self.several).mean(axis=1), grad_each * self.one[:, None]


MISTAKEN = {
    mistaken.__base__: mistaken
    for mistaken in (
        DenseOfOneExample,
        ReLUAlwaysOpen,
        SigmoidWithoutComplement,
        SoftmaxDiagonal,
        LogSoftmaxWithoutSum,
        DropoutUnscaled,
        EmbeddingOverwrites,
        AxisMeanLikeSum,
        AxisDotAveraged,
    )
}
