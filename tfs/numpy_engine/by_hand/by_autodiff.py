"""The same layers written forwards only: the engine walks their operations back by itself.

What a derivation gives in one line, the chain rule gives operation by operation. So each layer is
made here of the smallest operations, and not of the engine's own softmax, whose gradient somebody
derived, too.
"""

import copy
from functools import singledispatch

import numpy as np

from tfs.numpy_engine.by_hand.check import drawn_gradient, named_inputs
from tfs.numpy_engine.by_hand.layer import Layer, Sequential
from tfs.numpy_engine.by_hand.layers import Dense, Dropout, LogSoftmax, ReLU, Sigmoid, Softmax
from tfs.numpy_engine.by_hand.words import AxisDot, AxisMean, Embedding
from tfs.numpy_engine.tensor import Tensor


@singledispatch
def on_tensors(layer: Layer, *inputs: Tensor, **weights: Tensor) -> Tensor:
    """layer.forward, of tensors. `layer` has run forward before: Dropout's mask is drawn there."""
    raise NotImplementedError(
        f"{type(layer).__name__} has no forward of tensors; register one with on_tensors"
    )


@on_tensors.register
def dense(layer: Dense, x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return x @ W + b


@on_tensors.register
def relu(layer: ReLU, x: Tensor) -> Tensor:
    return x * (x > 0)


@on_tensors.register
def sigmoid(layer: Sigmoid, x: Tensor) -> Tensor:
    return 0.5 * (1 + (0.5 * x).tanh())


@on_tensors.register
def softmax(layer: Softmax, x: Tensor) -> Tensor:
    lifted = (x - largest(x)).exp()
    return lifted / lifted.sum(-1, keepdim=True)


@on_tensors.register
def log_softmax(layer: LogSoftmax, x: Tensor) -> Tensor:
    below = x - largest(x)
    return below - below.exp().sum(-1, keepdim=True).log()


@on_tensors.register
def dropout(layer: Dropout, x: Tensor) -> Tensor:
    return x * Tensor(layer.mask)


@on_tensors.register
def embedding(layer: Embedding, ids: Tensor, W: Tensor) -> Tensor:
    return W[ids]


@on_tensors.register
def axis_mean(layer: AxisMean, x: Tensor) -> Tensor:
    return x.sum(layer.axis) / x.shape[layer.axis]


@on_tensors.register
def axis_dot(layer: AxisDot, one: Tensor, several: Tensor) -> Tensor:
    return (one[:, None] * several).sum(-1)


@on_tensors.register
def sequential(layer: Sequential, x: Tensor, **weights: Tensor) -> Tensor:
    for place, part in enumerate(layer.layers):
        own = {name: weights[f"{place}.{name}"] for name in part.weights}
        x = on_tensors(part, x, **own)
    return x


def largest(x: Tensor) -> Tensor:
    """Along the last axis, as a constant: what is taken off all scores changes no probability."""
    return x.detach().amax(-1, keepdim=True)


def gradients_by_autodiff(
    layer: Layer, *inputs: np.ndarray, grad_output: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """The gradients of L = sum(grad_output * output), by the names that gradient_check gives.

    Without grad_output it is the one that gradient_check draws, so the two can be compared. Of a
    layer that is written wrong, these are the right ones: its forward is right. Raises
    NotImplementedError for a layer that on_tensors does not know.
    """
    worked = copy.deepcopy(layer)  # so that Dropout draws the same again
    output = worked.forward(*inputs)
    if grad_output is None:
        grad_output = drawn_gradient(output)
    tensors = {
        name: Tensor(x, requires_grad=x.dtype.kind == "f")
        for name, x in named_inputs(inputs).items()
    }
    weights = {name: Tensor(w, requires_grad=True) for name, w in layer.weights.items()}
    on_tensors(worked, *tensors.values(), **weights).backward(Tensor(grad_output))
    moved = {name: x for name, x in tensors.items() if x.requires_grad} | weights
    return {name: x.grad.numpy() for name, x in moved.items()}
