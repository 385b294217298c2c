"""A small deep-learning framework on numpy alone: tensors, gradients, layers, optimisers.

x = Tensor([[1.0, 2.0]], requires_grad=True)
(x @ x.T).sum().backward()
x.grad  # Tensor([[2., 4.]])

Names are torch's, so the same lesson can be read twice. Nothing here imports torch.
"""

from tfs.numpy_engine.tensor import Tensor, no_grad  # isort: skip  (first: methods are added to it)
from tfs.numpy_engine import arithmetic, functions, reductions, shapes
from tfs.numpy_engine.attention import Attention
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.data import Batches, MirrorBatches
from tfs.numpy_engine.einsum import einsum
from tfs.numpy_engine.encoder import EncoderOnly, PairClassifier, TokenClassifier
from tfs.numpy_engine.files import load, save
from tfs.numpy_engine.graph import BackwardStep, backward_steps, steps
from tfs.numpy_engine.joining import cat, concatenate, stack, where
from tfs.numpy_engine.layers import MLP, Dropout, Embedding, LayerNorm, Linear
from tfs.numpy_engine.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
    negative_sampling,
)
from tfs.numpy_engine.module import Module, ModuleList, Parameter, Sequential
from tfs.numpy_engine.nn import dropout, embedding, layer_norm, linear
from tfs.numpy_engine.optim import SGD, Adam, AdamW, RMSprop, clip_grad_norm_
from tfs.numpy_engine.trainer import Step, Trainer, next_token_loss
from tfs.numpy_engine.transformer import Block, PostNormBlock, Transformer

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Attention",
    "BackwardStep",
    "Batches",
    "Block",
    "Config",
    "Dropout",
    "EncoderOnly",
    "Embedding",
    "LayerNorm",
    "Linear",
    "MirrorBatches",
    "Module",
    "ModuleList",
    "PairClassifier",
    "Parameter",
    "PostNormBlock",
    "RMSprop",
    "Sequential",
    "Step",
    "Tensor",
    "TokenClassifier",
    "Trainer",
    "Transformer",
    "arithmetic",
    "backward_steps",
    "binary_cross_entropy_with_logits",
    "cat",
    "clip_grad_norm_",
    "concatenate",
    "cross_entropy",
    "dropout",
    "einsum",
    "embedding",
    "functions",
    "layer_norm",
    "linear",
    "load",
    "mse_loss",
    "negative_sampling",
    "next_token_loss",
    "no_grad",
    "reductions",
    "save",
    "shapes",
    "stack",
    "steps",
    "where",
]
