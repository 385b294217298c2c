"""The page of digits: what the network makes of one image, and how it does on those held out."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from pages._ui.cell_maps import CellMap, cell_maps, numbered
from pages._ui.digit_canvas import SIDE
from pages._ui.digit_training import Trained, program
from pages._ui.layout import behind, figure
from tfs.numpy_engine.by_hand.digits import (
    CATEGORIES,
    accuracy,
    activations,
    confusions,
    what_would_help,
)
from tfs.plots import amount_bars, signed_bars

NAMES = [str(category) for category in range(CATEGORIES)]
SECOND = "the second likeliest"  # a choice of its own, which every image and every link can have
HIDDEN = {"first": 1, "second": 4}  # places of the two ReLUs among the layers
ROWS = 8  # that a hidden layer is laid out in


def read_image(known: Trained, pixels: np.ndarray, seed: int) -> None:
    """Its probabilities, the hidden layers, and what the gradient says about its pixels."""
    outputs = activations(known.model, pixels[None])
    probabilities = np.exp(outputs[-1][0])
    second, said = probabilities.argsort()[-2:].tolist()
    st.markdown(f"It reads **{said}**, with probability {probabilities[said]:.3f}.")
    image = f"pixels = np.array({pixels.round(4).tolist()})\n"
    figure(
        amount_bars(probabilities, NAMES, x_title="probability"),
        key="said",
        code=[activations],
        program=program(
            seed, f"{image}result = np.exp(digits.activations(model, pixels[None])[-1])"
        ),
    )
    st.subheader("What would make it more of a digit")
    wanted = st.segmented_control(
        "Digit",
        (SECOND, *NAMES),
        default=SECOND,
        required=True,
        key="wanted",
        bind="query-params",
    )
    category = second if wanted == SECOND else int(wanted)
    st.caption(
        "The gradient of that digit's log-probability, sent back to the pixels: more ink helps "
        "where it is orange, and harms where it is blue. Of a digit that it is sure of already "
        f"there is next to nothing to gain; the second likeliest is {second}."
    )
    slopes = what_would_help(known.model, pixels, category)
    _square({"image": (pixels, "ink"), "gradient": (slopes, "slope")}, key="helps")
    behind(
        {"gradient": partial(as_bars, slopes, "slope")},
        key="helping",
        code=[what_would_help],
        program=program(
            seed, f"{image}result = [pixels, digits.what_would_help(model, pixels, {category})]"
        ),
    )
    st.subheader("Inside")
    st.caption(
        "Every cell is a neuron after its ReLU; the dark ones are closed. They are counted row by "
        "row, and which ones lie side by side means nothing."
    )
    hidden = {name: outputs[place].reshape(ROWS, -1) for name, place in HIDDEN.items()}
    cell_maps(
        [CellMap(f"{n} hidden layer", torch.tensor(a), "activation") for n, a in hidden.items()],
        numbered("row", ROWS),
        numbered("column", hidden["first"].shape[1]),
        key="hidden",
    )
    behind(
        {name: partial(as_bars, array.ravel(), "activation") for name, array in hidden.items()},
        key="inside",
        code=[activations],
        program=program(
            seed,
            f"{image}outputs = digits.activations(model, pixels[None])\n"
            f"result = [outputs[place] for place in {list(HIDDEN.values())}]",
        ),
    )


def how_it_does(known: Trained, seed: int) -> None:
    """Accuracy and confusions on images it has never seen."""
    reached, count = accuracy(known.model, known.split.held_out), len(known.split.held_out.labels)
    st.markdown(f"It reads **{reached:.1%}** of the {count} held-out digits right.")
    counts = confusions(known.model, known.split.held_out)
    cell_maps(
        [CellMap("", torch.tensor(counts).float(), "images")],
        numbered("digit", CATEGORIES),
        numbered("read as", CATEGORIES),
        key="confused",
        digits=0,
    )
    behind(
        {"confusions": partial(as_bars, counts.ravel(), "images")},
        key="confusions",
        code=[confusions],
        program=program(seed, "result = digits.confusions(model, split.held_out)"),
    )


def as_bars(values: np.ndarray, what: str) -> go.Figure:
    labels = [f"place {place}" for place in range(len(values))]
    return signed_bars(values.astype(float), labels, x_title=what)


def _square(pictures: dict[str, tuple[np.ndarray, str]], *, key: str) -> None:
    cell_maps(
        [
            CellMap(title, torch.tensor(values.reshape(SIDE, SIDE)), what, signed=what == "slope")
            for title, (values, what) in pictures.items()
        ],
        numbered("row", SIDE),
        numbered("column", SIDE),
        key=key,
        width=300,
    )
