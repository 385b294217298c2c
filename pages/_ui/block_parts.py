"""What the parts of a block write, in lengths of vectors, and what its norms do."""

import math
from functools import partial

import streamlit as st
import torch

import tfs
from pages._ui.aligned_bars import Row, aligned_bars
from pages._ui.axes import shape
from pages._ui.block_road import norm_strips
from pages._ui.cell_maps import Axis, CellMap, cell_maps, positions
from pages._ui.controls import View, lock_token
from pages._ui.layout import behind, quoted
from tfs.hooks.stream import is_post_norm
from tfs.interp import LayerNormSteps, layer_norm_steps, stream_norms
from tfs.model.norms import LayerNormPre
from tfs.plots import mean_and_scale, norm_lines, norm_map

ROW_HEIGHT, LINES_HEIGHT = 24, 180  # pixels
NAMES = {
    "attn_out": "What attention wrote",
    "mlp_out": "What the MLP wrote",
    "resid_post": "The stream after the layer",
}
LENGTHS = {
    "attn_out": "length from attention",
    "mlp_out": "from the MLP",
    "resid_post": "of the stream",
}


def written(view: View, layer: int, token: int) -> None:
    """Lengths in every layer: what was written and the stream that it went into."""
    norms = stream_norms(view.run()[1], view.model.cfg.n_layers)._asdict()
    norms = {name: lengths for name, lengths in norms.items() if lengths is not None}
    most = max(float(norms[name].max()) for name in ("attn_out", "mlp_out") if name in norms)
    maps = [name for name in NAMES if name in norms]
    ends = {name: None if name == "resid_post" else most for name in maps}
    n_layers = view.model.cfg.n_layers
    cell_maps(
        [
            CellMap(NAMES[name], norms[name].flip(0), LENGTHS[name], high=ends[name])
            for name in maps
        ],
        Axis("", [f"L{row}" for row in reversed(range(n_layers))]),
        positions(view.labels),
        key="lengths maps",
        row_height=ROW_HEIGHT,
        hint="Hover a cell; a click goes to its layer and token.",
        mark="the layer and token of this page",
        lock=(n_layers - 1 - layer, token),
        on_lock=lambda cell: _go_to(cell, n_layers),
    )
    behind(
        {
            name: partial(
                norm_map,
                norms[name],
                view.labels,
                most=ends[name],
                lock=(layer, token),
                title=NAMES[name],
            )
            for name in maps
        },
        key="lengths maps",
        code=[stream_norms],
        reads=f"blocks.*.hook_{', hook_'.join(maps)} [batch pos d_model]",
        program=view.program(
            "norms = stream_norms(cache, model.cfg.n_layers)\n"
            f"maps = torch.stack([{', '.join(f'norms.{name}' for name in maps)}])\n"
            "result = maps.flip(1)  # layer 0 is the lowest row",
            stream_norms,
        ),
    )
    if len(norms["resid_pre"]) == 1:
        return  # a line from layer to layer needs two of them
    st.caption(
        f"From layer to layer at position {token}, {quoted(view.labels[token])}: the stream before "
        "and after each block, and what was written into it between."
    )
    listed = ", ".join(f"norms.{name}[:, {token}]" for name in norms)
    lines = {name: lengths[:, token] for name, lengths in norms.items()}
    aligned_bars(
        [Row("length", torch.stack(list(lines.values())), lines=list(lines))],
        Axis("", [f"L{row}" for row in range(n_layers)]),
        key="lengths",
        height=LINES_HEIGHT,
        hint="Hover a layer, or move over them with arrow keys.",
    )
    behind(
        {"lengths": partial(norm_lines, lines)},
        key="lengths",
        code=[stream_norms],
        reads="blocks.*.hook_resid_pre, hook_attn_out, hook_resid_post [batch pos d_model]",
        program=view.program(
            f"norms = stream_norms(cache, model.cfg.n_layers)\nresult = torch.stack([{listed}])",
            stream_norms,
        ),
    )


def _go_to(cell: tuple[int, int] | None, n_layers: int) -> None:
    """Make a cell's layer and token those of the page; without a cell, no token is locked."""
    lock_token(cell and cell[1])
    if cell:
        st.session_state["layer"] = n_layers - 1 - cell[0]


@st.fragment
def layer_norm(view: View, layer: int, token: int) -> None:
    """One of the block's norms: what it takes from each position, and one vector through it."""
    cfg = view.model.cfg
    if (kind := cfg.normalization_type) in ("RMS", "RMSPre"):
        st.info(
            f"This model's norms are {kind}: they divide a vector by the root of its mean square "
            "and leave its mean alone. The road above shows what goes in and what comes out."
        )
        return
    if kind is None:
        st.info("This model was built without layer norms: its parts read the stream as it is.")
        return
    which = "ln1"
    where = "after" if is_post_norm(view.model) else "before"
    if cfg.attn_only:
        st.caption(f"This model is attention-only: a block has one norm, ln1, {where} attention.")
    else:
        which = st.segmented_control(
            f"Norm: ln1 is {where} attention, ln2 {where} the MLP",
            ["ln1", "ln2"],
            default="ln1",
            required=True,
            key="norm",
            bind="query-params",
        )
    steps = layer_norm_steps(view.model, view.run()[1], layer, which)
    mean, scale = steps.mean[:, 0], steps.scale[:, 0]
    aligned_bars(
        [Row("mean", mean, two_colours=True, digits=None), Row("scale", scale, digits=None)],
        positions(view.labels),
        key="mean and scale",
        mark=token,
        marked="the token of this page",
    )
    behind(
        {"mean and scale": partial(mean_and_scale, mean, scale, view.labels, lock=token)},
        key="mean and scale",
        code=[layer_norm_steps, LayerNormPre.normalized],
        reads=f"blocks.{layer}.{which}.hook_scale [batch pos 1]",
        program=view.program(
            f"steps = layer_norm_steps(model, cache, {layer}, {which!r})\n"
            "result = torch.cat([steps.mean[:, 0], steps.scale[:, 0]])",
            layer_norm_steps,
        ),
    )
    before, normalized = (steps.before.norm(dim=-1), steps.normalized.norm(dim=-1))
    st.markdown(
        f"Before {which}, the vectors {shape('pos d_model')} are between {before.min():.3f} and "
        f"{before.max():.3f} long. Divided by their scale, all are between "
        f"{normalized.min():.3f} and {normalized.max():.3f}; √{shape('d_model')} is "
        f"{cfg.d_model**0.5:.3f}. {_why_not_the_root(cfg, steps)} What is left is where they "
        f"point. At position {token}, {quoted(view.labels[token])}:"
    )
    norm_strips(view, layer, token, which, key="one vector")


def _why_not_the_root(cfg: tfs.TransformerConfig, steps: LayerNormSteps) -> str:
    """eps, which keeps a norm from dividing by 0, costs the smallest vectors the most."""
    scale = steps.scale.min().item()
    length = math.sqrt(cfg.d_model * (1 - cfg.eps / scale**2))
    return (
        f"They fall short of it because the scale is the root of the variance plus eps = "
        f"{cfg.eps:g}, so that nothing is ever divided by 0: at the smallest scale, {scale:.4f}, "
        f"√({shape('d_model')} × (1 − eps / scale²)) = {length:.3f}."
    )
