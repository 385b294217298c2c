"""Logit lens: what the model would say at every depth, and which part moves the answer."""

import streamlit as st

from pages._ui.controls import current_view, pick_token
from pages._ui.in_view import measured_width, positions_in_view
from pages._ui.layout import figure, prose, quoted
from pages._ui.predict import predict
from tfs.hooks.stream import is_post_norm
from tfs.interp import direct_logit_attribution, lens_labels, logit_lens, top_tokens
from tfs.plots import logit_lens as lens_figure
from tfs.plots import signed_bars

SHOWN = 5

with st.container(gap=None):
    st.title("Logit lens")
    width = measured_width()
prose("lens")
view = current_view()
tokenizer = view.bundle.tokenizer
_, cache = view.run()

incl_mid = False
with st.container(horizontal=True, vertical_alignment="bottom"):
    locked = pick_token(view)
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


def about_the_bias(whose: str) -> str:
    """What the last bar stands for, which is none of the vectors in the stream; and b_O's bars."""
    cfg = view.model.cfg
    parts = ["the final norm's b, read through W_U"] if cfg.normalization_type == "LN" else []
    parts += [] if cfg.tie_word_embeddings else [f"b_U of {whose}"]
    said = "The bar “bias” comes from no vector in the stream, and is the same at every position: "
    said += " and ".join(parts or ["0, as this model has none"]) + "."
    own = " A bar such as 0_b_O is the bias of a layer's attention, which belongs to no head."
    return said + own * (by == "head")


if not ask():
    st.stop()
shown = positions_in_view(len(view.tokens), locked)
figure(
    lens_figure(
        probs[..., 0],
        [[best[0][0] for best in row] for row in candidates],
        view.labels,
        lens_labels(view.model, incl_mid=incl_mid),
        candidates=candidates,
        shown=shown,
        lock=locked,
        width=width,
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
if is_post_norm(view.model):
    st.info(
        "This model is post-norm: each block normalises the whole stream, so its end is no sum of "
        "what the parts wrote, and no part has a share of a logit. The lens above reads the stream "
        "itself; the page The block shows how long each part's vector is."
    )
    st.stop()
place = len(view.tokens) - 1 if locked is None else locked
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
whose = quoted(tokenizer.str_tokens([answer])[0])
after = quoted(view.labels[place]) + (", the last; lock another above" if locked is None else "")
st.caption(
    f"What each part adds to the logit of {whose}, the most likely token after position {place}, "
    f"{after}. The bars sum to {attribution[:, place].sum():.3f}, and the model's logit is "
    f"{logits[-1, place, answer]:.3f}. {about_the_bias(whose)}"
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
