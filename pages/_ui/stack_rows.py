"""The rows of an encoder's drawing, and of the two roads of an encoder-decoder."""

from collections.abc import Mapping, Sequence

import torch

import tfs
from pages._ui.components import Road
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
from pages._ui.model_rows import norm_before
from pages._ui.one_text import OneText, answers_at
from pages._ui.two_texts import TwoTexts
from tfs.hooks import ActivationCache
from tfs.interp import RoadStep, after_norm, road_steps
from tfs.model.architectures import ENCODER_ONLY, PAIR_CLASSIFIER
from tfs.plots.tokens import visible

BOTH_WAYS, TWO_TEXTS = "both_ways", "translation"
NOWHERE = ""  # pages of single parts read decoders only
OF_ENCODER = {"attn": {"page": BOTH_WAYS}}
OF_TWO_TEXTS = {  # where the heads of each kind are looked into
    "encoder": {"attn": {"page": "attention", "of": "encoder"}},
    "decoder": {
        "attn": {"page": "attention", "of": "written"},
        "cross_attn": {"page": TWO_TEXTS},
    },
}


def encoder_rows(one: OneText, place: int) -> tuple[list[Road], float]:
    """An encoder at one position: what each part writes there; and the longest of these vectors."""
    model, (_, cache) = one.encoder, one.run()
    embedded = {"Embed": cache["embed.hook_embed"][place]}
    if "embed.hook_pos_embed" in cache:
        embedded["Position"] = cache["embed.hook_pos_embed"][place]
    embedded["Segment"] = cache["embed.hook_token_type_embed"][place]
    rows = [
        _tokens(one.labels, place),
        *_embedded(embedded, one.tokens[place], place, one.segments[place]),
    ]
    if model.cfg.normalization_type:
        full = cache["hook_full_embed"][place].norm().item()
        rows.append(norm_on_road("of the embedding", rows[-1]["stream"], full, NOWHERE))
    steps = road_steps(model.blocks, cache)
    rows += _layers(steps, model.cfg, place, OF_ENCODER)
    if "ln_final.hook_normalized" in cache:
        rows.append(_last_norm(model.ln_final, cache["ln_final.hook_normalized"][place], rows))
    answers = ", ".join(f"“{visible(word)}” {share:.2f}" for word, share in answers_at(one, place))
    if one.architecture == PAIR_CLASSIFIER and place:
        answers = "is read at position 0 alone"
    about = "which word belongs here" if one.architecture == ENCODER_ONLY else "which label fits"
    rows.append(station(part("Answer", about, BOTH_WAYS), answers, rows[-1]["stream"]))
    longest = scaled(rows)
    return [Road(rows)], longest


def encoder_decoder_rows(
    two: TwoTexts, source_place: int, written_place: int
) -> tuple[list[Road], float]:
    """Both roads, each at one of its positions; every cross-attention asks the encoder's top."""
    cache = two.run()
    encoder = _side(two, "encoder", two.source, source_place, "")
    decoder = _side(two, "decoder", two.read_back, written_place, "decoder_")
    top = part(
        "Encoded", "a vector for each token that was read, for the decoder to ask", TWO_TEXTS
    )
    encoder.append(station(top, "every cross-attention reads from here", encoder[-1]["stream"]))
    words = "after it: " + _next_words(two, cache, written_place)
    output = part("Output", "the stream becomes the next token that is written", TWO_TEXTS)
    decoder.append(station(output, words, decoder[-1]["stream"]))
    longest = scaled(encoder, decoder)
    return [Road(encoder, "Encoder: reads"), Road(decoder, "Decoder: writes")], longest


def _side(two: TwoTexts, stack: str, ids: tuple[int, ...], place: int, hooked: str) -> list[Row]:
    """One of the two roads up to its top. hooked: how the names of its embedding's hooks begin."""
    model, cache = two.bundle.model, two.run()
    embedded = {"Embed": cache[f"hook_{hooked}embed"][place]}
    if f"hook_{hooked}pos_embed" in cache:
        embedded["Position"] = cache[f"hook_{hooked}pos_embed"][place]
    rows = [_tokens(two.labels(ids), place), *_embedded(embedded, ids[place], place)]
    steps = road_steps(getattr(model, stack), cache, stack)
    rows += _layers(steps, model.cfg, place, OF_TWO_TEXTS[stack], masked=stack == "decoder")
    norm = f"{stack}_final_ln"
    if f"{norm}.hook_normalized" in cache:
        normalized = cache[f"{norm}.hook_normalized"][place]
        rows.append(_last_norm(getattr(model, norm), normalized, rows))
    return rows


def _tokens(labels: Sequence[str], place: int) -> Row:
    words = f"{place}: “{visible(labels[place])}” of {upto(labels, len(labels) - 1)}"
    return station(part("Tokens", "the text, cut into tokens", NOWHERE), words, 0.0)


def _embedded(
    vectors: dict[str, torch.Tensor], token: int, place: int, segment: int = 0
) -> list[Row]:
    """The token's vector on the road; those of its place and of its text are added to it."""
    stream = torch.zeros_like(vectors["Embed"])
    said = {
        "Embed": f"row {token} of W_E",
        "Position": f"row {place} of W_pos",
        "Segment": f"row {segment} of W_token_type",
    }
    rows = []
    for name, vector in vectors.items():
        stream = stream + vector
        words = said[name]
        box, length = adding(name, NOWHERE, vector.norm().item()), stream.norm().item()
        on_road = name == "Embed"
        row = station(box, words, length) if on_road else beside([box], words, length, reads=False)
        rows.append(row)
    return rows


def _layers(
    steps: list[RoadStep],
    cfg: tfs.TransformerConfig,
    place: int,
    leads: Mapping[str, dict[str, str]],
    *,
    masked: bool = False,
) -> list[Row]:
    """A row for each step of the road; where no norm stands on it, one stands before each part.

    leads: where a head of each kind of attention does.
    """
    on_road = any(step.part.startswith("ln") for step in steps)
    rows: list[Row] = []
    for step in steps:
        layer, stream = step.layer, step.stream[place].item()
        lengths = step.added[:, place].tolist()
        gates = [norm_before(layer, NOWHERE)] if cfg.normalization_type and not on_road else []
        if step.part.startswith("ln"):
            rows.append(norm_on_road(f"layer {layer}", rows[-1]["stream"], stream, NOWHERE))
        elif step.part == "mlp":
            box = adding("MLP", NOWHERE, lengths[0], label=f"MLP of layer {layer}")
            rows.append(beside([box], f"layer {layer}", stream, gates=gates))
        else:
            asks = step.part == "cross_attn"
            if masked and not asks:
                about = "a token sees itself and what is written before it"
                gates.append(part("mask", about, NOWHERE, label=f"Mask of layer {layer}"))
            words = f"layer {layer}, {len(lengths)} heads" + ", no mask" * (not masked)
            words = f"layer {layer}: keys and values from the encoder’s top" if asks else words
            heads = _heads(lengths, layer, leads[step.part], asks)
            rows.append(beside(heads, words, stream, gates=gates, asks=asks))
    return rows


def _heads(lengths: list[float], layer: int, leads: dict[str, str], asks: bool) -> list[Row]:
    kind = "cross-attention " if asks else ""
    return [
        adding(
            f"H{head}",
            length=length,
            label=f"{kind}L{layer}H{head}",
            layer=layer,
            head=head,
            **leads,
        )
        for head, length in enumerate(lengths)
    ]


def _last_norm(norm: torch.nn.Module, normalized: torch.Tensor, rows: list[Row]) -> Row:
    after = after_norm(norm, normalized).norm().item()
    return norm_on_road("the last one", rows[-1]["stream"], after, NOWHERE)


def _next_words(two: TwoTexts, cache: ActivationCache, place: int, most: int = 3) -> str:
    shares = cache["unembed.hook_out"][place].softmax(-1).topk(most)
    labels = two.bundle.tokenizer.str_tokens(shares.indices.tolist())
    pairs = zip(labels, shares.values.tolist(), strict=True)
    return ", ".join(f"“{visible(label)}” {share:.2f}" for label, share in pairs)
