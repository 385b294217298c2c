"""Logit lens: what the model would say at every depth, and which part moves the answer."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.layout import figure, prose, quoted
from pages._ui.predict import predict
from tfs.interp import direct_logit_attribution, lens_labels, logit_lens, top_tokens
from tfs.plots import logit_lens as lens_figure
from tfs.plots import signed_bars

SHOWN = 5
ROOMS, ROOM = (6, 12, 24), 12  # positions side by side: for a narrow screen, usual, for a wide one

st.title("Logit lens")
prose("lens")
view = current_view()
tokenizer = view.bundle.tokenizer
_, cache = view.run()

incl_mid = False
if not view.model.cfg.attn_only:
    incl_mid = st.toggle("Also between attention and MLP", key="mid", bind="query-params")
logits = logit_lens(view.model, cache, incl_mid=incl_mid)
probs, ids = top_tokens(logits, min(SHOWN, view.model.cfg.d_vocab))
candidates = [
    [list(zip(tokenizer.str_tokens(best), p, strict=True)) for best, p in zip(*row, strict=True)]
    for row in zip(ids.tolist(), probs.tolist(), strict=True)
]


def ask() -> bool:
    """From which depth on does the stream already say what the model says in the end?"""
    depths = lens_labels(view.model)
    says = logit_lens(view.model, cache)[:, -1].argmax(-1)
    settled = 1 + int((says != says[-1]).nonzero().max()) if (says != says[-1]).any() else 0
    last = quoted(view.labels[-1])
    return predict(
        f"After the last token, {last}, the model puts one token first. From which depth on does "
        "the lens put the same one first, and stay with it?",
        depths,
        depths[settled],
        f"That token is {quoted(tokenizer.str_tokens([int(says[-1])])[0])}.",
        key="predict depth",
    )


if not ask():
    st.stop()
first, pos, room = 0, len(view.tokens), ROOM
if pos > ROOMS[0]:
    room = st.segmented_control(
        "Positions side by side",
        ROOMS,
        default=ROOM,
        required=True,
        key="room",
        bind="query-params",
    )
    room = room if room in ROOMS else ROOM
if pos > room:
    if key_now := st.session_state.get("from"):
        st.session_state["from"] = min(key_now, pos - room)
    first = st.slider("Show from position", 0, pos - room, key="from", bind="query-params")
    st.caption(f"{room} of the {pos} positions find room side by side; the slider moves along.")
figure(
    lens_figure(
        probs[..., 0],
        [[best[0][0] for best in row] for row in candidates],
        view.labels,
        lens_labels(view.model, incl_mid=incl_mid),
        candidates=candidates,
        shown=range(first, min(pos, first + room)),
    ),
    key="lens",
    code=[logit_lens],
    reads="blocks.*.hook_resid_pre, hook_resid_post [batch pos d_model]",
    program=view.program(
        f"logits = logit_lens(model, cache, incl_mid={incl_mid})\n"
        "result = top_tokens(logits, 1)[0][..., 0]",
        logit_lens,
        top_tokens,
    ),
)

st.subheader("Who moves the answer?")
place = len(view.tokens) - 1
if place > 0:
    place = st.slider("Position", 0, place, place, key="position", bind="query-params")
answer = int(logits[-1, place].argmax())
by = st.segmented_control(
    "Split by",
    ["component", "head"],
    default="component",
    required=True,
    key="by",
    bind="query-params",
)
attribution, parts = direct_logit_attribution(view.model, cache, answer, by=by)
whose, after = quoted(tokenizer.str_tokens([answer])[0]), quoted(view.labels[place])
st.caption(
    f"What each part adds to the logit of {whose}, the most likely token after position {place}, "
    f"{after}; the bars sum to {attribution[:, place].sum():.3f}, and the model's logit is "
    f"{logits[-1, place, answer]:.3f}."
)
figure(
    signed_bars(attribution[:, place], parts, x_title="logit"),
    key="attribution",
    code=[direct_logit_attribution],
    reads="hook_embed, blocks.*.hook_attn_out, hook_mlp_out, ln_final.hook_scale",
    program=view.program(
        f"attribution, parts = direct_logit_attribution(model, cache, {answer}, by={by!r})\n"
        f"result = attribution[:, {place}]",
        direct_logit_attribution,
    ),
)
