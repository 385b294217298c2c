"""The numbers of a walked formula: every gradient beside the measured one, and as bars."""

import numpy as np
import streamlit as st

from pages._ui.autograd import Walk, brief, known_at
from pages._ui.layout import figure, literal
from tfs.numpy_engine import backward_steps, steps
from tfs.numpy_engine.measured import measured
from tfs.plots import signed_bars

LETTER, MARGIN, WIDEST = 6, 28, 260  # pixels of a column of the table
MOST_DRAWN = float(np.finfo(np.float32).max)  # figures hold float32


def table(walk: Walk, step: int) -> None:
    """Every node's value and gradient, as far as the walk has come; measured once complete."""
    forward, complete = min(step, len(walk.nodes)), walk.complete(step)
    _, gradients = known_at(walk, step)
    rows = []
    for i, node in enumerate(walk.nodes):
        slopes = node.measured if i in complete else None
        rows.append(
            {
                "node": walk.name(i),
                "made by": node.made_by or "(a leaf)",
                "value": brief(node.tensor.data) if i < forward else "",
                "gradient so far": brief(gradients[i]) if i in gradients else "",
                "measured": brief(slopes.slopes) if slopes else "",
                "relative difference": f"{slopes.apart(gradients[i]):.1e}" if slopes else "",
            }
        )
    widths = {name: max(len(row[name]) for row in [*rows, {name: name}]) for name in rows[0]}
    columns = {
        name: st.column_config.Column(width=min(LETTER * letters + MARGIN, WIDEST))
        for name, letters in widths.items()
    }
    st.dataframe(rows, hide_index=True, column_config=columns)


def verdict(walk: Walk) -> None:
    """Whether every gradient that can be measured is what backward found, or why not."""
    checked = [i for i, node in enumerate(walk.nodes) if node.measured and i in walk.gradients]
    off = [i for i in checked if not walk.nodes[i].measured.agrees(walk.gradients[i])]
    if not off:
        st.success(
            f"Backward is right: no gradient is further from the measured one than "
            f"{max(_apart(walk, i) for i in checked):.2g} of its size (of 1, where it is smaller).",
            icon=":material/check:",
        )
        return
    reasons: dict[str, list[int]] = {}
    for i in off:
        reasons.setdefault(_reason(walk, i), []).append(i)
    for reason, nodes in reasons.items():
        st.info(f"{literal(', '.join(walk.name(i) for i in nodes))}: {reason}")


def _reason(walk: Walk, i: int) -> str:
    """Why the gradient of a node is not the measured one, and the way out."""
    gradient, found = walk.gradients[i], walk.nodes[i].measured
    if not np.isfinite(gradient).all():
        return (
            "its gradient is not finite. The formula is endlessly steep there, or a number on the "
            "way back is larger than float64 can hold. Change a number to see both."
        )
    if np.isnan(found.slopes).any():
        return (
            "its gradient cannot be measured, since a little to one side the formula has no finite "
            "value. Change a number to see both."
        )
    if found.bends:
        return (
            f"the two differ by {_apart(walk, i):.3g}, since a bend lies there, of "
            f"{literal(' and of '.join(found.bends))}. Where two slopes meet, neither is it: "
            "measuring takes one between them, and backward one of them. Change a number a little "
            "to see them agree."
        )
    if found.may_agree(gradient):
        return (
            "measuring is too coarse to tell more. Numbers of the formula are so large beside this "
            f"slope that a measured one may be off by {float(found.unsure.max()):.2g}; to that, "
            "the two agree. Change the numbers to be surer."
        )
    return f"the two differ by {_apart(walk, i):.3g}, and measuring is surer than that."


def _apart(walk: Walk, i: int) -> float:
    return walk.nodes[i].measured.apart(walk.gradients[i])


def of_the_names(walk: Walk, step: int) -> None:
    """The gradients of the numbers that were typed in, as bars, for every name that has its whole
    gradient by now."""
    of_name = {node.text: i for i, node in enumerate(walk.nodes) if node.text in walk.leaves}
    names = [name for name in walk.leaves if of_name[name] in walk.complete(step)]
    if not names:
        st.caption("No name has its whole gradient yet: the way back ends at the names.")
        return
    gradients, labels = [], []
    for name in names:
        for index in np.ndindex(walk.gradients[of_name[name]].shape):
            gradients.append(walk.gradients[of_name[name]][index])
            labels.append(name + (str(list(index)) if index else ""))
    largest = float(np.abs(gradients).max())
    if not largest < MOST_DRAWN:
        st.caption(f"A gradient of {largest:.3g} is too large to draw as a bar: see the table.")
        return
    program = f"""import numpy as np
from tfs.numpy_engine.formula import Formula

worked = Formula({walk.formula!r}).worked({walk.leaves!r})
worked.loss.backward()
result = [worked.parts[name][0].grad.data for name in {names!r}]"""
    figure(
        signed_bars(np.array(gradients), labels, x_title="gradient of the result"),
        key="gradients",
        code=[backward_steps, steps, measured],
        program=program,
    )
