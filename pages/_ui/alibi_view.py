"""ALiBi: how much each head minds distance, and what it does to one head's weights."""

from functools import partial

import streamlit as st
from torch import Tensor

from pages._ui.cell_maps import CellMap, cell_maps, queries_and_keys
from pages._ui.controls import View
from pages._ui.head_choice import pick_named_head
from pages._ui.layout import behind, figure
from pages._ui.parts import part
from tfs.interp import alibi_steps, mean_distance
from tfs.plots import amount_bars, attention_pattern, attention_scores, bias_by_distance
from tfs.scores import alibi_bias, alibi_slopes

ALIBI_HAS_NONE = (
    "ALiBi adds no vector. Every head takes off each score its own slope times the distance from "
    "query to key, so that what is near counts more (Press et al. 2022, section 3). Nothing of it "
    "is learned."
)
NOT_ITS_OWN = (
    " This model was trained without it: what follows takes it off the model's own scores, to show "
    "how it works."
)
FLAT = 0.1  # of what the steepest line takes off: flatter ones cannot be told apart
TITLES = ("score without", "score with it", "weight without", "weight with it")


def alibi_positions(view: View, own: bool) -> None:
    """Slopes by head, the bias by distance, and what it does to a head. own: of this model."""
    cfg = view.model.cfg
    st.subheader("A price for every step away")
    st.info(ALIBI_HAS_NONE + ("" if own else NOT_ITS_OWN))
    slopes, pos = alibi_slopes(cfg.n_heads), cfg.n_ctx
    bias = alibi_bias(slopes, 1, pos)[:, 0].flip(-1)
    st.markdown(
        f"The slopes of {cfg.n_heads} heads run from {slopes[0]:.4g} down to {slopes[-1]:.4g}, "
        f"each the one before times {2 ** (-8 / cfg.n_heads):.4g}. At the far end of the context, "
        f"{pos - 1} positions back, the first head takes off {-bias[0, -1]:.4g} and the last "
        f"{-bias[-1, -1]:.4g}; each 1 taken off a score divides the key's part by e."
    )
    left, right = st.columns([2, 3])
    with left:
        figure(
            amount_bars(slopes, [f"H{n}" for n in range(cfg.n_heads)], x_title="slope"),
            key="slopes",
            code=[alibi_slopes],
            program=view.program("result = alibi_slopes(model.cfg.n_heads)", alibi_slopes),
        )
    with right:
        figure(
            bias_by_distance(bias),
            key="bias",
            code=[alibi_bias, alibi_slopes],
            program=view.program(
                "slopes = alibi_slopes(model.cfg.n_heads)\n"
                "result = alibi_bias(slopes, 1, model.cfg.n_ctx)[:, 0].flip(-1)",
                alibi_bias,
                alibi_slopes,
            ),
        )
    _say_which_lines_meet(bias[:, -1])
    st.subheader("What it does to a head")
    with_and_without(view)


def _say_which_lines_meet(far: Tensor) -> None:
    """far: what each head adds at the far end of the context, [head], from the steepest on."""
    flat = [head for head, added in enumerate(far) if added > FLAT * far[0]]
    if not flat:
        return
    *others, last = [f"{-far[head]:.3g}" for head in flat]
    if others:
        which = f"The lines of H{flat[0]} to H{flat[-1]} lie next to 0, hard to tell apart by eye:"
        taken = f"{', '.join(others)} and {last} are"
    else:
        which, taken = f"The line of H{flat[0]} lies next to 0:", f"{last} is"
    st.caption(
        f"{which} at the far end {taken} taken off, beside {-far[0]:.3g} in H0, which sets the "
        "scale."
    )


@part
def with_and_without(view: View) -> None:
    """One head's scores and weights, without the bias and with it."""
    layer, head = pick_named_head(view.model.cfg, key="biased head")
    steps = alibi_steps(view.model, view.run()[1], layer)
    maps = {name: values[head] for name, values in steps._asdict().items()}
    titles = dict(zip(maps, TITLES, strict=True))
    high = max(values[values.isfinite()].abs().max().item() for values in steps[:2])
    ends = {
        name: {"high": 1.0} if "weight" in name else {"high": high, "signed": True} for name in maps
    }
    before, after = (mean_distance(maps[name]) for name in ("weights_without", "weights"))
    st.markdown(
        f"On average over the prompt, L{layer}H{head} looks {before:.2f} positions back without "
        f"the bias and {after:.2f} with it."
    )
    for what, draw in (("score", attention_scores), ("weight", attention_pattern)):
        shown = {name: maps[name] for name in maps if titles[name].startswith(what)}
        cell_maps(
            [CellMap(titles[name], cells, what, **ends[name]) for name, cells in shown.items()],
            *queries_and_keys(view.labels),
            key=f"biased {what} map",
        )
        listed = ", ".join(f"steps.{name}[{head}]" for name in shown)
        behind(
            {
                titles[name]: partial(draw, cells, view.labels, title=titles[name])
                for name, cells in shown.items()
            },
            key=f"biased {what}",
            code=[alibi_steps, alibi_bias, alibi_slopes],
            reads=f"blocks.{layer}.attn.hook_q [batch pos head d_head], hook_k [batch pos key_head "
            "d_head], hook_attn_scores [batch head query_pos key_pos]",
            program=view.program(
                f"steps = alibi_steps(model, cache, {layer})\nresult = torch.stack([{listed}])",
                alibi_steps,
            ),
        )
