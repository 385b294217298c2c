"""Home: the model on screen in one glance, what it says next, and where to look inside."""

import streamlit as st

from pages._ui.controls import current_view
from pages._ui.layout import figure, prose, tokens_line
from tfs.arithmetic import parameter_terms, readable_count, total
from tfs.plots import next_token_bars
from tfs.sample import logits_to_probs

PAGES = (
    ("pages/read/embeddings.py", "Embeddings", "tokens and positions become vectors"),
    ("pages/read/masks.py", "Masks", "who may look at whom"),
    ("pages/read/attention.py", "Attention", "where every head looks, step by step"),
    ("pages/inspect/lens.py", "Logit lens", "what it would say at every depth"),
    ("pages/build/arithmetic.py", "Arithmetic", "parameters, FLOPs and memory"),
    ("pages/train/live.py", "Train", "from random weights to the floor"),
)

st.title("A Transformer you can open")
prose("home")
view = current_view()
cfg = view.model.cfg

for column, (label, value) in zip(
    st.columns(5),
    (
        ("Layers", cfg.n_layers),
        ("Heads per layer", cfg.n_heads),
        ("d_model", cfg.d_model),
        ("Vocabulary", f"{cfg.d_vocab:,}"),
        ("Parameters", readable_count(total(parameter_terms(cfg)))),
    ),
    strict=True,
):
    column.metric(label, value)

st.subheader("Your prompt, as this model reads it")
tokens_line(view.labels)

left, right = st.columns(2)
with left:
    st.subheader("What it says next")
    logits, _ = view.run()
    probs = logits_to_probs(logits[-1])
    top = probs.topk(min(10, cfg.d_vocab))
    names = view.bundle.tokenizer.str_tokens(top.indices.tolist())
    figure(
        next_token_bars(top.values, names),
        key="next",
        code=[logits_to_probs],
        reads="unembed.hook_out [batch pos d_vocab]",
    )
with right:
    st.subheader("Look inside")
    for path, title, what in PAGES:
        st.page_link(path, label=f"**{title}**: {what}")
    with st.expander("About this model"):
        card = view.bundle.card or "This model has no card."
        st.markdown(card.replace("# ", "#### ", 1) if card.startswith("# ") else card)
