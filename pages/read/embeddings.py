"""Embeddings: tokens and positions as vectors, and how the vocabulary lies in space."""

import streamlit as st
import torch

from pages._ui.controls import current_view
from pages._ui.layout import figure, prose
from tfs.interp import cosine_similarity, nearest_neighbours, pca
from tfs.plots import scatter_2d, similarity_matrix, vector_strip

st.title("Embeddings")
prose("embeddings")
view = current_view()
W_E, tokenizer = view.model.W_E, view.bundle.tokenizer

which = st.segmented_control(
    "Matrix",
    ["W_E, tokens", "W_pos, positions"] if hasattr(view.model, "pos_embed") else ["W_E, tokens"],
    default="W_E, tokens",
    required=True,
    key="matrix",
    bind="query-params",
)
if which == "W_E, tokens":
    matrix = W_E
    labels = tokenizer.str_tokens(range(len(W_E)))
    in_prompt = sorted(set(view.tokens))
else:
    matrix = view.model.W_pos
    labels = [str(position) for position in range(len(matrix))]
    in_prompt = list(range(len(view.tokens)))
points, explained = pca(matrix, 2)
figure(
    scatter_2d(points, labels, explained=explained.tolist(), highlight=in_prompt),
    key="plane",
    code=[pca],
    reads="embed.W_E [d_vocab d_model]"
    if which == "W_E, tokens"
    else "pos_embed.W_pos [n_ctx d_model]",
)

st.subheader("Nearest neighbours of a token")
place = st.selectbox(
    "Token of the prompt",
    range(len(view.tokens)),
    format_func=lambda place: f"{place}: {view.labels[place]!r}",
    key="token",
    bind="query-params",
)
similarity, near = nearest_neighbours(W_E, view.tokens[place], 8)
st.dataframe(
    {"token": tokenizer.str_tokens(near.tolist()), "cosine similarity": similarity.tolist()},
    hide_index=True,
)

st.subheader("Token + position = residual stream")
_, cache = view.run()
rows = {"hook_embed": cache["embed"][place]}
if "hook_pos_embed" in cache:
    rows["+ hook_pos_embed"] = cache["pos_embed"][place]
rows["= hook_resid_pre"] = cache["resid_pre", 0][place]
figure(
    vector_strip(torch.stack(list(rows.values())), list(rows)),
    key="sum",
    code=[type(view.model).embedded],
    reads="blocks.0.hook_resid_pre [batch pos d_model]",
)

st.subheader("How alike are the tokens of the prompt?")
vectors = W_E[torch.tensor(view.tokens)]
figure(
    similarity_matrix(cosine_similarity(vectors, vectors), view.labels),
    key="alike",
    code=[cosine_similarity],
    reads="hook_embed [batch pos d_model]",
)
