"""The rows of the model's drawing: its parts from the tokens upward, and where each one leads."""

from typing import Any

from torch import Tensor

from pages._ui.controls import View
from tfs.interp import head_norms, stream_norms
from tfs.plots.tokens import visible

WORDS = 6


def model_rows(view: View, best: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Rows for `components.model_map`; brightness is what a part writes at the last position.

    best: the most likely next tokens, for the words at the top.
    """
    cfg, (_, cache) = view.model.cfg, view.run()
    norms = stream_norms(cache, cfg.n_layers)
    heads = head_norms(view.model, cache)[..., -1]
    mlps = [] if norms.mlp_out is None else norms.mlp_out[:, -1].tolist()
    brightest = max([heads.max().item(), *mlps])
    widest = max(norms.resid_pre[0, -1].item(), norms.resid_post[:, -1].max().item())
    last = " ".join(visible(label) for label in view.labels[-WORDS:])
    last = f"… {last}" if len(view.labels) > WORDS else last
    start = norms.resid_pre[0, -1].item() / widest
    rows = [
        _station("Tokens", last, "the prompt, cut into tokens", "tokens", start),
        _station("Embed", _embedding(cfg), "each token becomes a vector", "embeddings", start),
    ]
    for layer in range(cfg.n_layers):
        between = cache["resid_mid", layer] if mlps else cache["resid_post", layer]
        start = between[-1].norm().item() / widest
        rows.append(_heads(layer, heads[layer], brightest, start))
        if mlps:
            part = _part(
                "MLP", f"adds a vector of length {mlps[layer]:.2f}", mlps[layer] / brightest
            )
            part |= {"label": f"MLP of layer {layer}", "go": {"page": "block", "layer": layer}}
            rows.append(_row(f"L{layer} MLP", [part], start))
        start = norms.resid_post[layer, -1].item() / widest
        rows[-1]["norm"] = start
    words = ", ".join(f"{visible(token)} {share:.2f}" for token, share in best)
    rows.append(_station("Output", words, "the stream becomes a next token", "output", start))
    return rows


def _heads(layer: int, norms: Tensor, brightest: float, norm: float) -> dict[str, Any]:
    parts = []
    for head, length in enumerate(norms.tolist()):
        part = _part(f"H{head}", f"adds a vector of length {length:.2f}", length / brightest)
        go = {"page": "attention", "layer": layer, "head": head}
        parts.append(part | {"label": f"L{layer}H{head}", "go": go})
    return _row(f"L{layer} heads", parts, norm)


def _station(name: str, words: str, about: str, page: str, norm: float) -> dict[str, Any]:
    part = _part(name, about, 0.0) | {"label": name, "go": {"page": page}}
    return _row(words, [part], norm) | {"on_road": True}


def _part(short: str, about: str, strength: float) -> dict[str, Any]:
    return {"short": short, "about": about, "strength": strength}


def _row(label: str, parts: list[dict[str, Any]], norm: float) -> dict[str, Any]:
    return {"label": label, "parts": parts, "norm": norm, "on_road": False}


def _embedding(cfg: Any) -> str:
    return "W_E + W_pos" if cfg.positional_embedding_type == "standard" else "W_E, no positions"
