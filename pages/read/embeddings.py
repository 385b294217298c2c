"""Embeddings: a token and its place as vectors, their sum, and how the vocabulary lies in space."""

from functools import partial

import streamlit as st

from pages._ui.aligned_bars import Row, aligned_bars
from pages._ui.axes import shape
from pages._ui.cell_maps import Axis, CellMap, cell_maps, positions
from pages._ui.components import token_strip
from pages._ui.controls import current_view, lock_token, pick_token
from pages._ui.layout import behind, prose, quoted
from pages._ui.neighbours import ask_for_the_nearest
from pages._ui.strips import strips
from pages._ui.vocabulary import space
from tfs.interp import cosine_similarity, nearest_neighbours
from tfs.plots import neighbour_bars, similarity_matrix

SHOWN_DIMENSIONS = 8
NEIGHBOURS = 8
MOST_TO_RANK = 100_000  # more neighbours than any vocabulary of ours

st.title("Embeddings")
prose("embeddings")
view = current_view()
W_E, str_tokens = view.model.W_E.detach(), view.bundle.tokenizer.str_tokens
_, cache = view.run()
in_prompt = cache["embed"]
alike = cosine_similarity(in_prompt, in_prompt)

chosen = pick_token(view)
place = len(view.tokens) - 1 if chosen is None else chosen
token, name = view.tokens[place], quoted(view.labels[place])
token_strip(
    view.labels,
    key="strip",
    name="The prompt; a token shows how alike the others are to it",
    lock=chosen,
    weights=alike,
    phrase="is most like",
    on_lock=lock_token,
)

st.subheader("Token + position = residual stream")
terms = {f"W_E[{token}]": in_prompt[place]}
if "hook_pos_embed" in cache:
    terms[f"+ W_pos[{place}]"] = cache["pos_embed"][place]
terms["= resid_pre"] = cache["resid_pre", 0][place]
st.markdown(
    f"The token {name} is row {token} of W_E {shape('d_vocab d_model')}"
    + (
        f", its place is row {place} of W_pos {shape('n_ctx d_model')}. Entry by entry, their sum "
        f"enters block 0, {shape('d_model')}."
        if len(terms) == 3
        else f". Nothing is added to it: it enters block 0 as it is, {shape('d_model')}."
    )
)
if len(terms) == 2:
    st.info("This model has no position vectors: the same token is the same vector at any place.")
columns = [str(i) for i in range(min(SHOWN_DIMENSIONS, W_E.shape[1]))]
st.dataframe(
    {"d_model": list(terms)}
    | {i: [vector[int(i)].item() for vector in terms.values()] for i in columns},
    column_config={i: st.column_config.NumberColumn(format="%.4f") for i in columns},
    hide_index=True,
)
strips(
    terms,
    key="sum",
    code=[type(view.model).embedded],
    reads="hook_embed, hook_pos_embed, blocks.0.hook_resid_pre [batch pos d_model]"
    if len(terms) == 3
    else "hook_embed, blocks.0.hook_resid_pre [batch pos d_model]",
    program=view.program(
        f"""
        names = ["embed", "pos_embed", "resid_pre"]
        hooks = ["hook_embed", "hook_pos_embed", "blocks.0.hook_resid_pre"]
        result = torch.stack([cache[hook][{place}] for hook in hooks if hook in cache])
        """
    ),
)

st.subheader(f"The nearest neighbours of {name}")
cosines, near = nearest_neighbours(W_E, token, MOST_TO_RANK)
if ask_for_the_nearest(view, place, cosines, near):
    alike_most, nearest = cosines[:NEIGHBOURS], str_tokens(near[:NEIGHBOURS].tolist())
    aligned_bars(
        [Row("cosine similarity", alike_most, high=1.0, digits=3)],
        Axis("token", nearest, first=None),
        key="neighbours",
        down=True,
    )
    behind(
        {"neighbours": partial(neighbour_bars, alike_most, nearest, of=view.labels[place])},
        key="neighbours",
        code=[nearest_neighbours],
        reads="embed.W_E [d_vocab d_model]",
        program=view.program(
            f"result = nearest_neighbours(model.W_E, {token}, {NEIGHBOURS})[0]", nearest_neighbours
        ),
    )

st.subheader("How alike are the tokens of the prompt?")
tokens = positions(view.labels)
cell_maps(
    [CellMap("", alike, "cosine", high=1.0, signed=True)],
    tokens,
    tokens,
    key="alike map",
    by_row=True,
    hint="Hover a cell; a click makes the token of its row the locked one.",
    lock=None if chosen is None else (chosen, None),
    on_lock=lambda cell: lock_token(cell and cell[0]),
)
behind(
    {"alike": lambda: similarity_matrix(alike, view.labels)},
    key="alike",
    code=[cosine_similarity],
    reads="hook_embed [batch pos d_model]",
    program=view.program(
        "result = cosine_similarity(cache['embed'], cache['embed'])", cosine_similarity
    ),
)

st.subheader("Where they lie")
space(view, place)
