"""How the network of digits learns: once for everyone who opens the page, or here and watched."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from pages._ui import in_slices
from pages._ui.cell_maps import CellMap, cell_maps, numbered
from pages._ui.digit_canvas import SIDE
from pages._ui.layout import behind, figure
from tfs.numpy_engine.by_hand import Dense, Sequential
from tfs.numpy_engine.by_hand.digits import (
    EPOCHS,
    DigitsStep,
    Split,
    accuracy,
    digits_model,
    load_digits,
    train_digits,
    updates_in,
)
from tfs.numpy_engine.by_hand.threads import one_blas_thread
from tfs.plots import over_training, signed_bars

NEURONS = 12  # of the first layer, whose weights are shown
LOSS, RIGHT = "loss", "held-out digits right"


class Trained(NamedTuple):
    """The network, the images, the loss of every update, and (step, share right) of every epoch."""

    model: Sequential
    split: Split
    losses: list[float]
    right: list[tuple[int, float]]


class DigitLearner:
    """A network that learns, and what its pictures need."""

    slices = EPOCHS

    def __init__(self, seed: int) -> None:
        self.seed, split = seed, load_digits(seed)
        self.known = Trained(digits_model(SIDE * SIDE, seed), split, [], [])
        self.until = updates_in(split.train)

    def updates(self) -> Iterator[DigitsStep]:
        model, split, _, _ = self.known
        return train_digits(model, split.train, split.held_out, seed=self.seed)

    def see(self, update: DigitsStep) -> None:
        self.known.losses.append(update.loss)
        if update.right is not None:
            self.known.right.append((update.step, update.right))


@st.cache_data(max_entries=4, show_spinner="Training on digits …")
def trained(seed: int) -> Trained:
    """Everyone gets a copy of their own: a forward leaves its numbers in the layers."""
    one_blas_thread()
    learner = DigitLearner(seed)
    for update in learner.updates():
        learner.see(update)
    return learner.known


def program(seed: int, lines: str, updates: int | None = None) -> str:
    """Lines that have the network after so many updates, or all, in a fresh interpreter."""
    some = "steps" if updates is None else f"(step for _, step in zip(range({updates}), steps))"
    return (
        "import numpy as np\n"
        "from tfs.numpy_engine.by_hand import digits\n\n"
        f"split, model = digits.load_digits({seed}), digits.digits_model(64, {seed})\n"
        f"steps = digits.train_digits(model, split.train, split.held_out, seed={seed})\n"
        f"done = list({some})\n"
        f"{lines}"
    )


def how_it_learns(seed: int) -> None:
    """A training of this reader's own, step by step; before it is begun, everybody's."""
    settings = (seed,)
    live = in_slices.buttons(
        "digits",
        settings,
        partial(DigitLearner, seed),
        label="Train it here, from the start",
        instead="Show it trained",
    )
    if live is None:
        _pictures(trained(seed), seed)
    else:
        in_slices.watch(live, lambda: _pictures(live.learner.known, seed))


def _pictures(known: Trained, seed: int) -> None:
    """Its loss, how much it reads right, and what its first neurons look for."""
    updates = len(known.losses)
    if updates:
        curves = {
            LOSS: {"training": (range(1, updates + 1), known.losses)},
            RIGHT: {"held out": tuple(zip(*known.right, strict=True)) or ([], [])},
        }
        figure(
            over_training(curves, shares=[RIGHT]),
            key="losses",
            code=[train_digits, accuracy],
            program=program(
                seed,
                "result = [step.loss for step in done]\n"
                "result += [step.right for step in done if step.right is not None]",
                updates,
            ),
        )
    weights = known.model.layers[0].weights["W"][:, :NEURONS].T
    cell_maps(
        [
            CellMap(f"neuron {n}", torch.tensor(row.reshape(SIDE, SIDE)), "weight", signed=True)
            for n, row in enumerate(weights)
        ],
        numbered("row", SIDE),
        numbered("column", SIDE),
        key="weights",
        width=160,
    )
    st.caption(
        "What the first neurons look for: each has a weight for every pixel, and ink is good for "
        "it where the weight is orange."
    )
    behind(
        {"weights": partial(_as_bars, weights)},
        key="first weights",
        code=[Dense],
        program=program(seed, f"result = model.layers[0].weights['W'][:, :{NEURONS}].T", updates),
    )


def _as_bars(weights: np.ndarray) -> go.Figure:
    labels = [f"neuron {n}, pixel {i}" for n, i in np.ndindex(weights.shape)]
    return signed_bars(weights.ravel(), labels, x_title="weight")
