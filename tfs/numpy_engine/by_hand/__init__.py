"""Layers whose gradients somebody derived on paper, and two models that learn with them.

>>> import numpy as np
>>> from tfs.numpy_engine.by_hand import Dense, ReLU, Sequential, gradient_check
>>> model = Sequential(Dense(3, 4, seed=0), ReLU(), Dense(4, 2, seed=1))
>>> gradient_check(model, np.ones((5, 3))).largest < 1e-6
True

Read layer.py first, then layers.py, words.py and losses.py; check.py tells whether they are right,
mistakes.py what it says where they are not, and by_autodiff.py has them without derivations.
digits.py and word_vectors.py train.
"""

from tfs.numpy_engine.by_hand.adam import Adam
from tfs.numpy_engine.by_hand.by_autodiff import gradients_by_autodiff
from tfs.numpy_engine.by_hand.check import Compared, GradientCheck, gradient_check
from tfs.numpy_engine.by_hand.layer import Layer, Sequential
from tfs.numpy_engine.by_hand.layers import (
    Dense,
    Dropout,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
)
from tfs.numpy_engine.by_hand.losses import BinaryCrossEntropy, CrossEntropy
from tfs.numpy_engine.by_hand.mistakes import MISTAKEN
from tfs.numpy_engine.by_hand.words import AxisDot, AxisMean, Embedding

__all__ = [
    "MISTAKEN",
    "Adam",
    "AxisDot",
    "AxisMean",
    "BinaryCrossEntropy",
    "Compared",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "Embedding",
    "GradientCheck",
    "Layer",
    "LogSoftmax",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "gradient_check",
    "gradients_by_autodiff",
]
