"""The rows of the model's drawing: its parts from the tokens upward, and where each one leads."""

from typing import Any, NamedTuple

from torch import Tensor

import tfs
from pages._ui.controls import View
from tfs.interp import head_norms, stream_norms
from tfs.plots.tokens import visible

WORDS = 6
INSTEAD = {
    "rotary": ": every head turns its queries and keys",
    "alibi": ": in every head, scores fall with distance",
}


class ModelRows(NamedTuple):
    """The rows for `components.model_map`, and the length of the longest vector that a part adds.

    A part's strength is the length of its own vector as a share of that.
    """

    rows: list[dict[str, Any]]
    longest: float


def model_rows(view: View, place: int, best: list[tuple[str, float]]) -> ModelRows:
    """The model at one position of the prompt: what each part writes into the stream there.

    best: the most likely tokens after that position, for the words at the top.
    """
    cfg, (_, cache) = view.model.cfg, view.run()
    norms = stream_norms(cache, cfg.n_layers)
    stream = [norms.resid_pre[0, place].item(), *norms.resid_post[:, place].tolist()]
    widest = max(stream)
    heads = head_norms(view.model, cache)[..., place]
    mlps = [] if norms.mlp_out is None else norms.mlp_out[:, place].tolist()
    embed = cache["embed"][place].norm().item()
    has_vector = cfg.positional_embedding_type in ("standard", "sinusoidal")
    position = cache["pos_embed"][place].norm().item() if has_vector else None
    longest = max([heads.max().item(), embed, position or 0.0, *mlps])

    upto = view.labels[: place + 1]
    text = ("… " if len(upto) > WORDS else "") + " ".join(map(visible, upto[-WORDS:]))
    tokens = _part("Tokens", "the prompt, cut into tokens", "tokens")
    embedding = _part("Embed", _adds(embed), "embeddings", embed / longest)
    rows = [
        _station(tokens, text, 0.0),
        _station(embedding, f"row {view.tokens[place]} of W_E", embed / widest),
        _position(cfg, place, position, longest, stream[0] / widest),
    ]
    for layer in range(cfg.n_layers):
        after = between = stream[layer + 1] / widest
        if cfg.parallel_attn_mlp:
            row = _heads(cfg, layer, heads[layer], longest, after)
            row["parts"].append(_mlp(layer, mlps[layer], longest))
            rows.append(row | {"label": f"{row['label']} and the MLP side by side"})
            continue
        if mlps:
            mid = cache.accumulated_resid(layer, mlp_input=True)[-1]
            between = mid[place].norm().item() / widest
        rows.append(_heads(cfg, layer, heads[layer], longest, between))
        if mlps:
            rows.append(_beside([_mlp(layer, mlps[layer], longest)], f"layer {layer}", after))
    words = ", ".join(f"“{visible(token)}” {share:.2f}" for token, share in best)
    output = _part("Output", "the stream becomes a next token", "output")
    rows.append(_station(output, words, stream[-1] / widest))
    return ModelRows(rows, longest)


def _mlp(layer: int, length: float, longest: float) -> dict[str, Any]:
    part = _part("MLP", _adds(length), "block", length / longest, layer=layer)
    return part | {"label": f"MLP of layer {layer}"}


def _heads(
    cfg: tfs.TransformerConfig, layer: int, norms: Tensor, longest: float, norm: float
) -> dict[str, Any]:
    """A layer's heads; the mask stands where they read from other positions."""
    parts = []
    for head, length in enumerate(norms.tolist()):
        where = {"layer": layer, "head": head}
        part = _part(f"H{head}", _adds(length), "attention", length / longest, **where)
        parts.append(part | {"label": f"L{layer}H{head}"})
    window = cfg.windows[layer]
    before = "what came before it" if window is None else f"the {window - 1} before it"
    mask = _part("mask", f"a token sees itself and {before}", "masks", layer=layer)
    mask["label"] = f"Mask of layer {layer}"
    heads = "1 head" if len(parts) == 1 else f"{len(parts)} heads"
    return _beside(parts, f"layer {layer}, {heads}", norm) | {"gate": mask}


def _position(
    cfg: tfs.TransformerConfig, place: int, length: float | None, longest: float, norm: float
) -> dict[str, Any]:
    """The vector of the place, which is added to the token's, if the model has one."""
    if length is None:
        said = "this model adds no vector for the place" + INSTEAD.get(
            cfg.positional_embedding_type, ""
        )
        part = _part("Position", said, "positions")
        return _beside([part], "no vector here", norm) | {"reads": False, "writes": False}
    part = _part("Position", _adds(length), "positions", length / longest)
    return _beside([part], f"row {place} of W_pos", norm) | {"reads": False}


def _station(part: dict[str, Any], words: str, norm: float) -> dict[str, Any]:
    """A part that the road runs through."""
    return _beside([part], words, norm) | {"on_road": True}


def _beside(parts: list[dict[str, Any]], label: str, norm: float) -> dict[str, Any]:
    """Parts beside the road, which read from it and add to it; norm: of the stream above them."""
    row = {"label": label, "parts": parts, "norm": norm, "gate": None}
    return row | {"on_road": False, "reads": True, "writes": True}


def _part(
    short: str, about: str, page: str, strength: float = 0.0, **values: int
) -> dict[str, Any]:
    go = {"page": page, **values}
    return {"short": short, "label": short, "about": about, "strength": strength, "go": go}


def _adds(length: float) -> str:
    return f"adds a vector of length {length:.2f}"
