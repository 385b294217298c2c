"""Architectures: encoder-only, encoder-decoder and decoder-only, drawn from three live models."""

from typing import Any

import streamlit as st

from pages._ui.components import Road, model_map
from pages._ui.controls import View, current_view, pick_token
from pages._ui.differences import differences, of_decoder, of_encoder, of_two_texts
from pages._ui.jumps import carrying
from pages._ui.layout import code_box, made_by, prose
from pages._ui.model_rows import model_rows
from pages._ui.one_text import OneText, pick, pick_masked, pick_position
from pages._ui.pair_picker import pick_two_texts, say_what_is_written
from pages._ui.parts import ending_alone
from pages._ui.reach import WHICH, decoder_reach, encoder_reach, two_texts_reach
from pages._ui.stack_rows import encoder_decoder_rows, encoder_rows
from pages._ui.two_texts import TwoTexts
from tfs.interp import head_norms, road_steps, stream_norms
from tfs.plots.tokens import visible
from tfs.sample import logits_to_probs

ALL, ENCODER, BOTH, DECODER = "All three", "Encoder-only", "Encoder-decoder", "Decoder-only"
IN_THE_MAP = 3
HINT = "The wider the road, the longer the stream there. Choose a {} to look inside."
STEPS = "result = [step.added[:, 0, {place}].tolist() for step in road_steps({blocks}, cache{of})]"

st.title("Architectures")
prose("architectures")
see = st.segmented_control(
    "Architecture",
    (ALL, ENCODER, BOTH, DECODER),
    default=ALL,
    required=True,
    key="see",
    bind="query-params",
)


def drawing(
    roads: list[Road], longest: float, *, key: str, alt: str, where: str, program: str
) -> dict[str, Any] | None:
    """A map with its code; the `go` of a part just chosen."""
    chosen = model_map(
        roads,
        key=key,
        alt=alt,
        longest=f"{longest:.2f}",
        meaning=f"Colour: the length of the vector that a part adds at {where}",
        hint=HINT.format("part" if key == "decoder map" else "head"),
    )
    box = code_box(key)
    if box.open:
        with box:
            of = head_norms, stream_norms
            reads = "hook_z [batch pos head d_head], hook_mlp_out [batch pos d_model]"
            made_by([road_steps] if "road_steps" in program else of, reads, program)
    return chosen


def encoder_only() -> tuple[OneText, dict[str, Any] | None]:
    st.subheader(ENCODER)
    one = pick_masked(pick())
    hidden = one.masked[0] if one.masked else one.words[0][0]
    place = pick_position("Position", one.labels, key="place", default=hidden)
    blocks = "model.blocks" if one.encoder is one.bundle.model else "model.encoder.blocks"
    also = "from tfs.interp import road_steps"
    roads, longest = encoder_rows(one, place)
    chosen = drawing(
        roads,
        longest,
        key="encoder map",
        alt=f"{one.name}: {len(one.encoder.blocks)} layers that see both ways",
        where=f"position {place}, “{visible(one.labels[place])}”",
        program=one.program(STEPS.format(place=place, blocks=blocks, of=""), also=also),
    )
    texts = f"text for {one.name}", f"text for {one.name}, 2"
    return one, carrying(chosen, "both", "masked", *texts)


def two_texts() -> tuple[TwoTexts, dict[str, Any] | None]:
    st.subheader(BOTH)
    two = pick_two_texts()
    say_what_is_written(two, len(two.written))
    source, written = two.labels(two.source), two.labels(two.read_back)
    with st.container(horizontal=True):
        read = pick_position("Position that is read", source, key="read", default=0)
        last = len(written) - 1
        place = pick_position("Position that writes", written, key="writes", default=last)
    steps = STEPS.format(place=place, blocks="model.decoder", of=", 'decoder'")
    roads, longest = encoder_decoder_rows(two, read, place)
    chosen = drawing(
        roads,
        longest,
        key="two roads",
        alt=f"{two.name}: an encoder, and a decoder whose cross-attention reads from its top",
        where=f"position {read} of what is read and position {place} of what is written",
        program=two.program(f"from tfs.interp import road_steps\n{steps}"),
    )
    return two, carrying(chosen, "pair", f"text for {two.name}")


def decoder_only() -> tuple[View, dict[str, Any] | None]:
    st.subheader(DECODER)
    view = current_view()
    locked = pick_token(view)
    place = len(view.tokens) - 1 if locked is None else locked
    top = logits_to_probs(view.run()[0][place]).topk(min(IN_THE_MAP, view.model.cfg.d_vocab))
    names = view.bundle.tokenizer.str_tokens(top.indices.tolist())
    best = list(zip(names, top.values.tolist(), strict=True))
    rows, longest = model_rows(view, place, best, norms=True)
    chosen = drawing(
        [Road(rows)],
        longest,
        key="decoder map",
        alt=f"{view.name}: {view.model.cfg.n_layers} layers that look back",
        where=f"position {place}, “{visible(view.labels[place])}”",
        program=view.program(f"result = head_norms(model, cache)[..., {place}]", head_norms),
    )
    return view, carrying(chosen, *([] if locked is None else ["token"]))


columns, reaches, jumps = {}, {}, []
left, right = st.columns(2, gap="medium") if see == ALL else (st.container(), st.container())
for name, place, show, describe, reach in (
    (ENCODER, left, encoder_only, of_encoder, encoder_reach),
    (DECODER, right, decoder_only, of_decoder, decoder_reach),
    (BOTH, st.container(), two_texts, of_two_texts, two_texts_reach),
):
    if see in (ALL, name) and (found := ending_alone(show, place)):
        opened, chosen = found
        columns[name], reaches[name] = describe(opened), (reach, opened)
        jumps += [chosen] if chosen else []
if not columns:
    st.stop()
if jumps:
    st.session_state["jump"] = jumps[0]
    st.rerun()

st.subheader("What differs")
differences(columns)

st.subheader("One token is changed: who notices?")
prose("architectures_reach")
which = st.segmented_control(
    "Change a token", WHICH, default="last", required=True, key="change", bind="query-params"
)
for name, (reach, opened) in reaches.items():
    st.markdown(f"**{name}**")
    reach(opened, which)
