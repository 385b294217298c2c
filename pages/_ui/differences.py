"""What differs between architectures: a table, each row of it asked of the models on screen."""

from collections.abc import Iterable

import streamlit as st
import torch
from torch import Tensor, nn

from pages._ui.controls import View
from pages._ui.layout import code_box, counted, made_by
from pages._ui.one_text import OneText
from pages._ui.two_texts import TwoTexts
from tfs.arithmetic import (
    decoding_cache_terms,
    kv_cache_terms,
    parameter_terms_of,
    readable_bytes,
    total,
)
from tfs.hooks import ActivationCache, HookedModel
from tfs.interp import open_ahead
from tfs.model import kind_of
from tfs.model.architectures import ENCODER_ONLY, PAIR_CLASSIFIER, TOKEN_CLASSIFIER
from tfs.model.layers import Attention

POSITIONS = {
    "standard": "a learned vector for each",
    "sinusoidal": "a fixed vector for each, from sines",
    "rotary": "queries and keys are turned",
    "alibi": "scores fall with distance",
    "none": "none",
}
PREDICTS = {
    ENCODER_ONLY: "the token that belongs at p",
    TOKEN_CLASSIFIER: "the label of the token at p",
    PAIR_CLASSIFIER: "at p = 0, the label of both texts",
}
TOLD = {ENCODER_ONLY: "tokens"}
Column = dict[str, str]


def differences(columns: dict[str, Column]) -> None:
    """The table: a column for each architecture that is shown."""
    rows = list(next(iter(columns.values())))
    cells = {name: [column[row] for row in rows] for name, column in columns.items()}
    st.table({"Asked of the models": rows} | cells, hide_index=True)
    box = code_box("differences")
    if box.open:
        with box:
            made_by([open_ahead, parameter_terms_of, kv_cache_terms, decoding_cache_terms])


def of_encoder(one: OneText) -> Column:
    logits, cache = one.run()
    n_layers = one.encoder.cfg.n_layers
    return {
        "Model": one.name,
        "Was trained for": _about(one.bundle.card),
        "Keys after the query that are open": _share(_ahead(cache, "blocks", n_layers)),
        "Attentions in a layer": _attentions(one.encoder.blocks[0]),
        **_made_of(one.bundle.model, cache, "blocks"),
        "Numbers that one pass gives": _shape(logits, TOLD.get(one.architecture, "labels")),
        "Those of position p speak of": PREDICTS[one.architecture],
        "Passes for an answer": f"1, over {counted(len(one.tokens), 'token')}",
        "KV cache": "none: every token changes all keys and values",
    }


def of_two_texts(two: TwoTexts) -> Column:
    model, cache = two.bundle.model, two.run()
    n_layers = model.cfg.n_layers
    ahead = {side: _share(_ahead(cache, side, n_layers)) for side in ("encoder", "decoder")}
    asked = [cache[f"decoder.{i}.cross_attn.hook_attn_scores"] for i in range(n_layers)]
    ahead["cross-attention, of all"] = _share((~torch.stack(asked).isneginf()).float().mean())
    blocks = {"encoder": model.encoder[0], "decoder": model.decoder[0]}
    cached = decoding_cache_terms(model.cfg, len(two.read_back), len(two.source))
    parts = zip(("self-attention", "cross-attention"), cached, strict=True)
    return {
        "Model": two.name,
        "Was trained for": _about(two.bundle.card),
        "Keys after the query that are open": _listed(ahead.items()),
        "Attentions in a layer": _listed((name, _attentions(b)) for name, b in blocks.items()),
        **_made_of(model, cache, "encoder"),
        "Numbers that one pass gives": _shape(cache["unembed.hook_out"], "tokens"),
        "Those of position p speak of": "the token that is written after p",
        "Passes for an answer": f"1 over {counted(len(two.source), 'token')} that are read, "
        f"then {len(two.written)}, one for each token that is written",
        "KV cache": _listed((name, readable_bytes(term.value)) for name, term in parts),
    }


def of_decoder(view: View) -> Column:
    logits, cache = view.run()
    cfg, n_tokens = view.model.cfg, len(view.tokens)
    cached = readable_bytes(total(kv_cache_terms(cfg, n_tokens)))
    return {
        "Model": view.name,
        "Was trained for": _about(view.bundle.card),
        "Keys after the query that are open": _share(_ahead(cache, "blocks", cfg.n_layers)),
        "Attentions in a layer": _attentions(view.model.blocks[0]),
        **_made_of(view.model, cache, "blocks"),
        "Numbers that one pass gives": _shape(logits, "tokens"),
        "Those of position p speak of": "the token that comes after p",
        "Passes for an answer": f"1 over {counted(n_tokens, 'token')}, "
        "then one for each token that is written",
        "KV cache": f"self-attention: {cached}",
    }


def _made_of(model: HookedModel, cache: ActivationCache, stack: str) -> Column:
    cfg = model.cfg
    after_sum = f"{stack}.0.hook_normalized_resid_post" in cache
    place = "on the road, after each sum" if after_sum else "before each part"
    return {
        "Layers, heads, d_model": f"{cfg.n_layers}, {cfg.n_heads}, {cfg.d_model}",
        "Positions": POSITIONS[cfg.positional_embedding_type],
        "Norm": f"{cfg.normalization_type} {place}" if cfg.normalization_type else "none",
        "Parameters": f"{total(parameter_terms_of(kind_of(model))):,}",
    }


def _ahead(cache: ActivationCache, stack: str, n_layers: int) -> Tensor:
    """The share of open cells above the diagonal, over all heads of all layers."""
    scores = [cache[f"{stack}.{layer}.attn.hook_attn_scores"] for layer in range(n_layers)]
    return open_ahead(torch.stack(scores))


def _attentions(block: nn.Module) -> str:
    names = {"attn": "self", "cross_attn": "cross"}
    found = [names[name] for name, part in block.named_children() if isinstance(part, Attention)]
    return f"{len(found)} ({', '.join(found)})"


def _share(share: Tensor) -> str:
    return "there is none" if share.isnan() else f"{share.item():.0%}"


def _shape(logits: Tensor, what: str) -> str:
    *places, choices = logits.shape
    return "".join(f"{pos} positions × " for pos in places) + f"{choices:,} {what}"


def _listed(parts: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {said}" for name, said in parts)


def _about(card: str) -> str:
    """The sentence of a model's card that stands below its name."""
    lines = [line for line in card.splitlines()[1:] if line.strip()]
    return lines[0] if lines and not lines[0].startswith("-") else "its card does not say"
