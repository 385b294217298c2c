"""What every layer here is: a forward, and a backward that somebody derived on paper."""

import numpy as np
from jaxtyping import Num


class Layer:
    """A function with weights, and its derivative written out.

    forward keeps what backward needs. backward takes g, the gradient of a loss L with respect to
    the layer's output, returns that with respect to its input, and leaves those of its weights in
    `gradients`, under the names of `weights`. No backward changes a weight: an optimiser does.

    In the derivations, repeated letters are summed only where a sum is written, and [a = b] is 1
    where it holds and 0 elsewhere.
    """

    def __init__(self) -> None:
        self.weights: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}

    def forward(self, x: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."]:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad_output: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."] | None:
        raise NotImplementedError(f"{type(self).__name__} has no backward")


class Sequential(Layer):
    """Layers one after the other; the chain rule is to walk them back.

    y = f2(f1(x)), and dL/dx = f1.backward(f2.backward(g)): each layer asks only for the gradient of
    its own output. A weight is named by its layer's place: "0.W" is the first layer's W.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = layers
        self.weights = {
            f"{place}.{name}": weight
            for place, layer in enumerate(layers)
            for name, weight in layer.weights.items()
        }

    def forward(self, x: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."]:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."] | None:
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        self.gradients = {
            f"{place}.{name}": gradient
            for place, layer in enumerate(self.layers)
            for name, gradient in layer.gradients.items()
        }
        return grad_output
