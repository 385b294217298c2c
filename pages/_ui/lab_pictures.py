"""While a model of two texts, or one that reads both ways, is trained: its attention, as it forms.

All on one held-out example, the same all the time. A text that is written is read back as it should
be, not as the model writes it, so that rows and columns stay what they are.
"""

from functools import partial
from typing import Any, NamedTuple

import streamlit as st
import torch
from torch import Tensor

import tfs
from pages._ui import state
from pages._ui.axes import css_colour
from pages._ui.cell_maps import Axis, CellMap, cell_maps
from pages._ui.components import attention_mosaic
from pages._ui.controls import pick_layer_and_head
from pages._ui.formation import names_of_heads, steps_that_fit
from pages._ui.layout import behind
from pages._ui.watched import Watched
from tfs.hooks import HookedModel
from tfs.model.architectures import ENCODER_DECODER
from tfs.model.layers import Attention
from tfs.plots import attention_grid, attention_pattern
from tfs.tasks.batch import Examples, seed_for

WIDEST = 640  # pixels
BOTH_WAYS = "both ways"


class Part(NamedTuple):
    """Attention of one kind: its place in each layer, who asks, and whose tokens are asked.

    asks, asked: "source", "written" or "read back"; of a model that reads one text, "tokens".
    """

    place: str
    asks: str
    asked: str

    def hook(self, layer: int | str) -> str:
        return f"{self.place.format(layer)}.hook_pattern"


PARTS_OF_TWO_TEXTS = {
    "cross-attention": Part("decoder.{}.cross_attn", "written", "source"),
    "encoder": Part("encoder.{}.attn", "source", "source"),
    "decoder": Part("decoder.{}.attn", "written", "read back"),
}
PARTS = {BOTH_WAYS: Part("blocks.{}.attn", "tokens", "tokens")}
ROWS = {"written": "writes"}


class Example(NamedTuple):
    """One held-out example of a run: what its model is given, and the tokens by whose they are."""

    batch: Examples
    given: dict[str, list[int]]
    tokens: dict[str, list[str]]


def attention_as_it_forms(run: Watched, steps: list[int]) -> None:
    """One head at the newest weights, and every head at the kept steps."""
    st.subheader("Its attention, as it forms")
    is_of_two = run.recipe.architecture == ENCODER_DECODER
    example, parts = _example(run.name, run.task), PARTS_OF_TWO_TEXTS if is_of_two else PARTS
    name = BOTH_WAYS
    if is_of_two:
        name = st.segmented_control(
            "Where",
            list(parts),
            default="cross-attention",
            required=True,
            key="part",
            bind="query-params",
        )
    st.caption(
        "On one pair that it is not trained on, the same all the time. It reads back what should "
        "be written, whatever it would write itself."
        if is_of_two
        else "On one text that it is not trained on, the same all the time."
    )
    _one_head(run, example, parts[name])
    _every_head(run, example, parts[name], steps)


@st.cache_resource(show_spinner=False, max_entries=64)
def _example(name: str, _task: Any) -> Example:
    """Of one example nothing is padded."""
    batch = _task.sample(1, seed_for(0, "probe"), "held_out")
    words = _task.tokenizer.str_tokens
    if hasattr(batch, "source"):
        given = {"source": batch.source[0].tolist(), "read_back": batch.beside[0].tolist()}
        tokens = {"source": given["source"], "read back": given["read_back"]}
        tokens["written"] = batch.targets[0].tolist()
    else:
        given = {"tokens": batch.tokens[0].tolist(), "segments": batch.segments[0].tolist()}
        tokens = {"tokens": given["tokens"]}
    return Example(batch, given, {whose: words(ids) for whose, ids in tokens.items()})


def _one_head(run: Watched, example: Example, part: Part) -> None:
    opened = run.opened()
    layer, head = pick_layer_and_head(run.recipe.model)
    pattern = _patterns_at(opened, run, example, part)[layer, head]
    rows = Axis(ROWS.get(part.asks, "query"), example.tokens[part.asks], css_colour("query_pos"))
    keys = Axis("key", example.tokens[part.asked], css_colour("key_pos"))
    title = f"{part.place.format(layer)}, head {head}, at the newest weights"
    cell_maps([CellMap(title, pattern, "weight", high=1.0)], rows, keys, key="newest", width=WIDEST)
    draw = partial(attention_pattern, pattern, keys.labels, query_tokens=rows.labels, title=title)
    hook = part.hook(layer)
    behind(
        {"weight": draw},
        key="newest",
        code=[Attention.explicit_attention],
        reads=f"{hook} [batch head query_pos key_pos]",
        program=_program(
            run, example, f"cache = run(bundle.model)\nresult = cache[{hook!r}][0, {head}]"
        ),
    )


def _every_head(run: Watched, example: Example, part: Part, steps: list[int]) -> None:
    """The kept steps are frames, scrubbed in the browser."""
    cfg, keys, queries = run.recipe.model, example.tokens[part.asked], example.tokens[part.asks]
    shown = steps_that_fit(steps, cfg.n_layers * cfg.n_heads * len(keys) * len(queries))
    stack = torch.stack(
        [_patterns_at(state.open_any(run.name, step), run, example, part) for step in shown]
    )
    attention_mosaic(
        stack.flatten(1, 2),
        keys,
        key="forming",
        names=names_of_heads(cfg.n_layers, cfg.n_heads),
        columns=min(8, cfg.n_heads if cfg.n_heads > 1 else cfg.n_layers),
        query_labels=queries,
        frames=shown,
        frame=len(shown) - 1,
        frame_name="step",
    )
    hooks = [part.hook(layer) for layer in range(cfg.n_layers)]
    behind(
        {f"step {shown[-1]}": partial(attention_grid, stack[-1], keys, query_tokens=queries)},
        key="forming",
        code=[tfs.Bundle.at_step],
        reads=f"{part.hook('*')} [batch head query_pos key_pos]",
        program=_program(
            run,
            example,
            f"caches = [run(bundle.at_step(step)) for step in {shown!r}]\n"
            f"hooks = {hooks!r}\n"
            "kept = [[cache[hook][0] for hook in hooks] for cache in caches]\n"
            "result = torch.stack([torch.cat(patterns) for patterns in kept])",
        ),
    )


def _patterns_at(opened: state.Opened, run: Watched, example: Example, part: Part) -> Tensor:
    """[layer head query_pos key_pos]."""
    model, n_layers = opened.bundle.model, run.recipe.model.n_layers
    return _patterns(model, opened.fingerprint, run.name, part.place, n_layers, example.batch)


@st.cache_resource(show_spinner=False, max_entries=512)
def _patterns(
    _model: HookedModel, fingerprint: str, name: str, place: str, n_layers: int, _batch: Examples
) -> Tensor:
    found: dict[str, Tensor] = {}

    def keep(pattern: Tensor, hook: Any) -> None:
        found[hook.name] = pattern[0]

    hooks = [f"{place.format(layer)}.hook_pattern" for layer in range(n_layers)]
    with torch.inference_mode(), _model.hooks(fwd_hooks=[(hook, keep) for hook in hooks]):
        _batch.predictions(_model)
    return torch.stack([found[hook] for hook in hooks])


def _program(run: Watched, example: Example, lines: str) -> str:
    """A program that runs by itself: the run opened, its example, then `lines`."""
    given = [f"{name} = torch.tensor([{ids}])" for name, ids in example.given.items()]
    return "\n".join(
        [
            "import torch",
            "import tfs",
            "",
            f"bundle = tfs.load({str(state.directory_of(run.name))!r})",
            *given,
            "",
            "",
            "def run(model):",
            f"    return model.run_with_cache({', '.join(example.given)})[1]",
            "",
            "",
            lines,
        ]
    )
