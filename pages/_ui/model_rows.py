"""The rows of a decoder's drawing: its parts from the tokens upward, and where each one leads."""

from typing import NamedTuple

from torch import Tensor

import tfs
from pages._ui.controls import View
from pages._ui.map_parts import (
    Row,
    adding,
    beside,
    norm_on_road,
    part,
    scaled,
    station,
    upto,
)
from tfs.interp import after_norm, head_norms, road_steps, stream_norms
from tfs.plots.tokens import visible

INSTEAD = {
    "rotary": ": every head turns its queries and keys",
    "alibi": ": in every head, scores fall with distance",
}


class ModelRows(NamedTuple):
    """The rows for `components.model_map`, and the length of the longest vector that a part adds.

    A part's strength is the length of its own vector as a share of that.
    """

    rows: list[Row]
    longest: float


def model_rows(
    view: View, place: int, best: list[tuple[str, float]], *, norms: bool = False
) -> ModelRows:
    """The model at one position of the prompt: what each part writes into the stream there.

    best: the most likely tokens after that position, for the words at the top. norms: they are
    drawn too, where they stand.
    """
    cfg, (_, cache) = view.model.cfg, view.run()
    embed, stream = cache["embed"][place].norm().item(), cache["resid_pre", 0][place].norm().item()
    has_vector = cfg.positional_embedding_type in ("standard", "sinusoidal")
    position = cache["pos_embed"][place].norm().item() if has_vector else None
    tokens = part("Tokens", "the prompt, cut into tokens", "tokens")
    embedding = adding("Embed", "embeddings", embed)
    rows = [
        station(tokens, upto(view.labels, place), 0.0),
        station(embedding, f"row {view.tokens[place]} of W_E", embed),
        _position(cfg, place, position, stream),
        *_layers(view, place, norms),
    ]
    stream = rows[-1]["stream"]
    if norms and cfg.normalization_type and cfg.norm_first is not False:
        after = after_norm(view.model.ln_final, cache["ln_final.hook_normalized"][place])
        rows.append(norm_on_road("the last one", stream, after.norm().item()))
        stream = rows[-1]["stream"]
    words = ", ".join(f"“{visible(token)}” {share:.2f}" for token, share in best)
    rows.append(station(part("Output", "the stream becomes a next token", "output"), words, stream))
    return ModelRows(rows, scaled(rows))


def _layers(view: View, place: int, norms: bool) -> list[Row]:
    """Attention and MLP of each layer, with gates where norms stand before them, or norms after."""
    cfg, (_, cache) = view.model.cfg, view.run()
    lengths, heads = stream_norms(cache, cfg.n_layers), head_norms(view.model, cache)[..., place]
    mlps = [] if lengths.mlp_out is None else lengths.mlp_out[:, place].tolist()
    norms = norms and cfg.normalization_type is not None
    after_sum = norms and cfg.norm_first is False
    steps = road_steps(view.model.blocks, cache) if after_sum else []
    on_road = {(step.layer, step.part): step.stream[place].item() for step in steps}
    rows: list[Row] = []

    def before(layer: int) -> list[Row]:
        return [norm_before(layer)] if norms and not after_sum else []

    def add(row: Row, layer: int, norm: str) -> None:
        rows.append(row)
        if after_sum:
            rows.append(norm_on_road(f"layer {layer}", row["stream"], on_road[layer, norm]))

    for layer in range(cfg.n_layers):
        after = lengths.resid_post[layer, place].item()
        if after_sum:  # the norm that follows is a row of its own
            after = cache["resid_post", layer][place].norm().item()
        row = _heads(cfg, layer, heads[layer], after, before(layer))
        if cfg.parallel_attn_mlp:
            row["parts"].append(_mlp(layer, mlps[layer]))
            rows.append(row | {"label": f"{row['label']} and the MLP side by side"})
        elif not mlps:
            add(row, layer, "ln1")
        else:
            name = ("resid_mid", layer)
            mid = cache[name] if after_sum else cache.accumulated_resid(layer, mlp_input=True)[-1]
            add(row | {"stream": mid[place].norm().item()}, layer, "ln1")
            mlp = beside([_mlp(layer, mlps[layer])], f"layer {layer}", after, gates=before(layer))
            add(mlp, layer, "ln2")
    return rows


def norm_before(layer: int, page: str = "block") -> Row:
    """A gate: what a pre-norm part reads is a normalised copy of the stream."""
    about = "what is read from here is a normalised copy of the stream"
    return part("norm", about, page, label=f"Norm in layer {layer}")


def _mlp(layer: int, length: float) -> Row:
    return adding("MLP", "block", length, label=f"MLP of layer {layer}", layer=layer)


def _heads(
    cfg: tfs.TransformerConfig, layer: int, lengths: Tensor, stream: float, gates: list[Row]
) -> Row:
    """A layer's heads; the mask stands where they read from other positions."""
    parts = [
        adding(f"H{head}", "attention", length, label=f"L{layer}H{head}", layer=layer, head=head)
        for head, length in enumerate(lengths.tolist())
    ]
    window = cfg.windows[layer]
    before = "what came before it" if window is None else f"the {window - 1} before it"
    about = f"a token sees itself and {before}"
    mask = part("mask", about, "masks", label=f"Mask of layer {layer}", layer=layer)
    heads = "1 head" if len(parts) == 1 else f"{len(parts)} heads"
    return beside(parts, f"layer {layer}, {heads}", stream, gates=[*gates, mask])


def _position(cfg: tfs.TransformerConfig, place: int, length: float | None, stream: float) -> Row:
    """The vector of the place, which is added to the token's, if the model has one."""
    if length is None:
        said = "this model adds no vector for the place" + INSTEAD.get(
            cfg.positional_embedding_type, ""
        )
        nothing = part("Position", said, "positions")
        return beside([nothing], "no vector here", stream, reads=False, writes=False)
    position = adding("Position", "positions", length)
    return beside([position], f"row {place} of W_pos", stream, reads=False)
