"""A small deep-learning framework on numpy alone: tensors, gradients, layers, optimisers.

x = Tensor([[1.0, 2.0]], requires_grad=True)
(x @ x.T).sum().backward()
x.grad  # Tensor([[2., 4.]])

Names are torch's, so the same lesson can be read twice. Nothing here imports torch.
"""

from tfs.numpy_engine.tensor import Tensor, no_grad  # isort: skip  (first: methods are added to it)
from tfs.numpy_engine import arithmetic, functions, reductions, shapes
from tfs.numpy_engine.einsum import einsum
from tfs.numpy_engine.graph import BackwardStep, backward_steps, steps
from tfs.numpy_engine.joining import cat, concatenate, stack, where
from tfs.numpy_engine.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
    negative_sampling,
)
from tfs.numpy_engine.nn import dropout, embedding, layer_norm

__all__ = [
    "BackwardStep",
    "Tensor",
    "arithmetic",
    "backward_steps",
    "binary_cross_entropy_with_logits",
    "cat",
    "concatenate",
    "cross_entropy",
    "dropout",
    "einsum",
    "embedding",
    "functions",
    "layer_norm",
    "mse_loss",
    "negative_sampling",
    "no_grad",
    "reductions",
    "shapes",
    "stack",
    "steps",
    "where",
]
