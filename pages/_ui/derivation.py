"""A layer's docstring, as a reader sees it: its sentences, and its equations set as such."""

import inspect
import re

import streamlit as st

INDEXED = re.compile(r"\b([A-Za-z])_(?:\((\w)_(\w)\))?(\w*)")
DERIVATIVE = re.compile(r"\bd(\w+)/d(\w+)")
FUNCTIONS = re.compile(r"\b(exp|log|max)\b")


def derivation(layer: type) -> None:
    """Paragraphs as text; indented ones as equations, a line each."""
    for paragraph in inspect.cleandoc(layer.__doc__ or "").split("\n\n"):
        if paragraph.startswith("    "):
            lines = " \\\\ ".join(as_latex(line.strip()) for line in paragraph.splitlines())
            st.latex(rf"\begin{{gathered}} {lines} \end{{gathered}}")
        else:
            st.markdown(INDEXED.sub(lambda found: f"${as_latex(found[0])}$", paragraph))


def as_latex(line: str) -> str:
    r"""An equation of a docstring in LaTeX.

    >>> as_latex("dL/dW_io = sum_b x_bi g_bo")
    '\\frac{\\partial L}{\\partial W_{io}} = \\sum_{b} x_{bi} g_{bo}'
    """
    line = DERIVATIVE.sub(r"\\frac{\\partial \1}{\\partial \2}", line)
    line = re.sub(r"\bsum_(\w+)", r"\\sum_{\1}", line)
    line = INDEXED.sub(_indices, line)
    line = line.replace("1 / n ", r"\tfrac{1}{n} ")
    return FUNCTIONS.sub(r"\\\1 ", line)


def _indices(found: re.Match[str]) -> str:
    name, inner, of, others = found.groups()
    return f"{name}_{{{f'{inner}_{of} ' if inner else ''}{others}}}"
