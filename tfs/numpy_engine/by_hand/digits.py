"""Handwritten digits, and a network of hand-derived layers that reads them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tfs.numpy_engine.by_hand.adam import Adam
from tfs.numpy_engine.by_hand.layer import Sequential
from tfs.numpy_engine.by_hand.layers import Dense, Dropout, LogSoftmax, ReLU
from tfs.numpy_engine.by_hand.losses import CrossEntropy

CATEGORIES = 10
HELD_OUT = 0.2  # of all images
EPOCHS, BATCH = 40, 64


class Images(NamedTuple):
    """Pictures with ink from 0 to 1, row by row, and which digit each is."""

    pixels: Float[np.ndarray, "image pixel"]
    labels: Int[np.ndarray, " image"]


class Split(NamedTuple):
    """What a model learns from, and what it never sees until it is asked."""

    train: Images
    held_out: Images


class DigitsStep(NamedTuple):
    """One update: its number from 1, of how many, and the loss on its batch before it.

    right: the share of held-out images that are read right after it, at the end of an epoch.
    """

    step: int
    steps: int
    loss: float
    right: float | None = None


def load_digits(seed: int = 0) -> Split:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, shuffled, a fifth of them held out."""
    from sklearn.datasets import load_digits as bundled

    bundle = bundled()
    order = np.random.default_rng(seed).permutation(len(bundle.target))
    pixels, labels = bundle.data[order] / 16, bundle.target[order].astype(np.int64)
    first = int(HELD_OUT * len(order))
    return Split(Images(pixels[first:], labels[first:]), Images(pixels[:first], labels[:first]))


def digits_model(d_in: int, seed: int = 0, d_mlp: int = 128) -> Sequential:
    """Two hidden layers, with dropout before each that follows; out come log-probabilities."""
    return Sequential(
        Dense(d_in, d_mlp, seed),
        ReLU(),
        Dropout(0.2, seed),
        Dense(d_mlp, d_mlp, seed + 1),
        ReLU(),
        Dropout(0.2, seed + 1),
        Dense(d_mlp, CATEGORIES, seed + 2),
        LogSoftmax(),
    )


def train_digits(
    model: Sequential,
    images: Images,
    held_out: Images | None = None,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    lr: float = 2e-3,
) -> Iterator[DigitsStep]:
    """Update the model in place, a BATCH at a time; the rate falls in a straight line.

    held_out: read after each epoch, without dropout and without a trace in the training.
    """
    draw = np.random.default_rng(seed)
    optimiser, loss = Adam(model.weights, lr), CrossEntropy()
    in_epoch, steps = updates_in(images, 1), updates_in(images, epochs)
    for epoch in range(epochs):
        set_training(model, True)
        order = draw.permutation(len(images.labels))
        for number in range(in_epoch):
            step = epoch * in_epoch + number
            optimiser.lr = lr * (1 - step / steps)
            chosen = order[number * BATCH : (number + 1) * BATCH]
            value = loss.forward(model.forward(images.pixels[chosen]), images.labels[chosen])
            model.backward(loss.backward())
            optimiser.step(model.gradients)
            right = None
            if number == in_epoch - 1 and held_out is not None:
                set_training(model, False)
                right = accuracy(model, held_out)
            yield DigitsStep(step + 1, steps, value, right)
    set_training(model, False)


def updates_in(images: Images, epochs: int = EPOCHS) -> int:
    """Of a whole training; the last batch of an epoch holds what is left."""
    return epochs * -(-len(images.labels) // BATCH)


def set_training(model: Sequential, training: bool) -> None:
    """Switch its dropout on or off."""
    for layer in model.layers:
        if isinstance(layer, Dropout):
            layer.training = training


def accuracy(model: Sequential, images: Images) -> float:
    """The share of images whose most probable digit is the right one."""
    said = model.forward(images.pixels).argmax(-1)
    return float((said == images.labels).mean())


def confusions(model: Sequential, images: Images) -> Int[np.ndarray, "label said"]:
    """How often each digit was taken for each."""
    counts = np.zeros((CATEGORIES, CATEGORIES), dtype=np.int64)
    np.add.at(counts, (images.labels, model.forward(images.pixels).argmax(-1)), 1)
    return counts


def activations(
    model: Sequential, pixels: Float[np.ndarray, "image pixel"]
) -> list[Float[np.ndarray, "image d_layer"]]:
    """What comes out of each layer in turn; the last are log-probabilities."""
    outputs = []
    for layer in model.layers:
        pixels = layer.forward(pixels)
        outputs.append(pixels)
    return outputs


def what_would_help(
    model: Sequential, pixels: Float[np.ndarray, " pixel"], category: int
) -> Float[np.ndarray, " pixel"]:
    """How fast the log-probability of a digit rises with the ink of each pixel."""
    model.forward(pixels[None])
    of_category = np.zeros((1, CATEGORIES))
    of_category[0, category] = 1
    return model.backward(of_category)[0]
