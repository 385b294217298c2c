"""The page of three engines: what each computed, and how far apart they are at every hook."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

import tfs
from pages._ui.controls import View
from pages._ui.layout import figure, literal
from tfs.interop.engines import (
    Activations,
    hooked_activations,
    in_precision,
    largest_differences,
    numpy_activations,
    torch_activations,
)
from tfs.plots import amount_bars

NUMPY, HOOKED = "numpy", "HookedTransformer"
ENGINES: dict[str, Callable] = {NUMPY: numpy_activations, HOOKED: hooked_activations}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PRECISIONS = {"float32": torch.float32, "float64": torch.float64}


class Compared(NamedTuple):
    """Shapes and largest numbers by hook, as torch has them; how far each engine is from that."""

    shapes: dict[str, tuple[int, ...]]
    largest: dict[str, float]
    apart: dict[str, dict[str, float]]


def compared(view: View, precision: str, engines: tuple[str, ...]) -> Compared:
    """All engines on the same weights and the same prompt; those that cannot be, in a sentence."""
    with st.spinner("The same prompt through every engine …"):
        reference = _run(view.model, view.fingerprint, view.tokens, precision, "")
        apart = {}
        for engine in engines:
            try:
                found = _run(view.model, view.fingerprint, view.tokens, precision, engine)
            except ValueError as error:
                st.info(f"{engine} cannot be this model: {literal(str(error))}.")
                continue
            apart[engine] = largest_differences(reference, found)
    shapes = {name: array.shape for name, array in reference.items()}
    return Compared(shapes, {name: _largest(array) for name, array in reference.items()}, apart)


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))


@st.cache_resource(show_spinner=False, max_entries=32)
def _run(
    _model: tfs.DecoderOnly, fingerprint: str, tokens: tuple[int, ...], precision: str, engine: str
) -> Activations:
    twin = in_precision(_model, PRECISIONS[precision])
    return ENGINES.get(engine, torch_activations)(twin, torch.tensor([tokens]))


def say(found: Compared) -> None:
    """The largest difference of all, for each engine, and where it is."""
    for engine, apart in found.apart.items():
        worst = max(apart, key=lambda name: apart[name])
        st.markdown(
            f"**{engine}** has {len(apart)} of torch's {len(found.shapes)} tensors by the same "
            f"name. The largest difference is **{apart[worst]:.2g}**, at `{worst}`, where numbers "
            f"reach {found.largest[worst]:.4g}: {_digits(apart[worst], found.largest[worst])}."
        )


def _digits(apart: float, largest: float) -> str:
    if apart == 0:
        return "equal to the last digit"
    return f"equal in about {max(0, math.floor(math.log10(largest / apart)))} digits"


def hook_by_hook(found: Compared) -> None:
    """A row for each hook, in the order of the run."""
    st.dataframe(
        [
            {
                "hook": name,
                "shape": str(list(shape)),
                "largest number": f"{found.largest[name]:.4g}",
                **{
                    f"{engine} differs by": f"{apart[name]:.2g}" if name in apart else "not there"
                    for engine, apart in found.apart.items()
                },
            }
            for name, shape in found.shapes.items()
        ],
        hide_index=True,
    )


def where_it_grows(view: View, found: Compared, precision: str) -> None:
    """The largest difference in each part of the model, from the tokens to the logits."""
    for engine, apart in found.apart.items():
        parts: dict[str, float] = {}
        for name, difference in apart.items():
            words = name.split(".")
            part = f"layer {words[1]}" if words[0] == "blocks" else words[0]
            parts[part] = max(parts.get(part, 0.0), difference)
        finite = [value for value in parts.values() if math.isfinite(value)]
        power = math.floor(math.log10(max([*finite, 1e-300]))) if max(finite, default=0) else 0
        values = [value / 10.0**power for value in parts.values()]
        unit = f"10{str(power).translate(RAISED)}"
        title = f"largest difference, in {unit}"
        which = ENGINES[engine]
        st.markdown(f"**{engine}** and torch")
        figure(
            amount_bars(np.array(values), list(parts), x_title=title),
            key=f"engines {engine}",
            code=[which, largest_differences],
            program=view.program(
                f"""
                twin = in_precision(model, torch.{precision})
                ours = torch_activations(twin, tokens[None])
                theirs = {which.__name__}(twin, tokens[None])
                parts = {{}}
                for name, difference in largest_differences(ours, theirs).items():
                    words = name.split(".")
                    part = words[1] if words[0] == "blocks" else words[0]
                    parts[part] = max(parts.get(part, 0.0), difference / 10.0**{power})
                result = list(parts.values())
                """,
                in_precision,
                torch_activations,
                which,
                largest_differences,
            ),
        )
