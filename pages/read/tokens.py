"""Tokens: where the text is cut, how byte-pair encoding decides it, and what others would do."""

import streamlit as st

from pages._ui.comparison import comparison, with_and_without_blank
from pages._ui.controls import current_view
from pages._ui.layout import prose
from pages._ui.merges import ask_which_is_one_token, merges
from pages._ui.readers import NO_GPT2, gpt2, live_tokens, text_to_cut, trained_bpe
from tfs.tokenizers import IntegerTokenizer

st.title("Tokens")
prose("tokens")
view = current_view()
trained, other = trained_bpe(view), gpt2()
reads_numbers = isinstance(view.bundle.tokenizer, IntegerTokenizer)

if reads_numbers:
    live_tokens(view)
text = text_to_cut(view)
if not text:
    st.info("There is nothing to cut: type some text above.")
elif ask_which_is_one_token(trained, text):
    if not reads_numbers:
        live_tokens(view)

    st.subheader("The merges, one by one")
    prose("tokens_merges")
    which = st.segmented_control(
        "Whose merges",
        ["trained BPE", "GPT-2"],
        default="trained BPE",
        required=True,
        key="bpe",
        bind="query-params",
    )
    if which == "GPT-2" and other is None:
        st.info(NO_GPT2)
    else:
        merges(view, other if which == "GPT-2" else trained, text)

    st.subheader("The same text, cut in other ways")
    comparison(view, trained, other, text)

st.subheader("Why “12” and “ 12” differ")
prose("tokens_blank")
with_and_without_blank(trained, other)
