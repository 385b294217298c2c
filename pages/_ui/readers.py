"""Who cuts a text into tokens: the model's own tokenizer, a trained BPE, and GPT-2's."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st
import torch

from pages._ui import state
from pages._ui.axes import shape
from pages._ui.components import token_strip
from pages._ui.controls import MAX_PROMPT_CHARACTERS, ORDER, View, lock_token, pick_token
from pages._ui.examples import EXAMPLES
from pages._ui.layout import behind, quoted
from tfs.plots import equal_tokens
from tfs.plots.tokens import visible
from tfs.tokenizers import BPETokenizer, GPT2Tokenizer, IntegerTokenizer, Tokenizer

NO_GPT2 = (
    "GPT-2's own tokenizer is not on this computer, so it is left out: tiktoken keeps its two "
    "files in the folder that TIKTOKEN_CACHE_DIR names, and needs the internet once to fetch them."
)


class Reader(NamedTuple):
    """A byte-level BPE, and how a program comes by it."""

    name: str
    tokenizer: BPETokenizer | GPT2Tokenizer
    line: str  # Python that makes it, after a view's program has opened its bundle
    imports: tuple[Callable, ...] = ()

    def program(self, view: View, text: str, lines: str, *functions: Callable) -> str:
        """A program that opens this tokenizer as `bpe`, and then runs `lines` on `text`."""
        head = f"text = {text!r}\nbpe = {self.line}\n"
        return view.program(head + lines, *self.imports, *functions)


def trained_bpe(view: View) -> Reader:
    """The tokenizer of the model on screen, or of the first bundled one that has merges."""
    tokenizer = view.bundle.tokenizer
    if isinstance(tokenizer, BPETokenizer):
        return Reader(view.name, tokenizer, "tokenizer")
    tokenizer = state.open_model(ORDER[0]).bundle.tokenizer
    return Reader(ORDER[0], tokenizer, f"tfs.load({ORDER[0]!r}).tokenizer")


def gpt2() -> Reader | None:
    """GPT-2's tokenizer, where its files are on this machine."""
    tokenizer = state.gpt2_tokenizer()
    return tokenizer and Reader("GPT-2", tokenizer, "GPT2Tokenizer()", (GPT2Tokenizer,))


def text_to_cut(view: View) -> str:
    """The prompt; for a model that reads numbers, a text of the reader's own."""
    if not isinstance(view.bundle.tokenizer, IntegerTokenizer):
        return st.session_state["prompt"]
    st.info(
        f"**{view.name}** reads whole numbers: a number is its own id, so there are no bytes and "
        "no merges to show. What follows cuts a text of yours instead."
    )
    return st.text_input(
        "A text of your own",
        EXAMPLES["text"],
        key="text",
        bind="query-params",
        max_chars=MAX_PROMPT_CHARACTERS,
    )


def token_bytes(tokenizer: Tokenizer, token_id: int) -> bytes:
    """What a token stands for; of a tokenizer without bytes, its characters in UTF-8."""
    own = getattr(tokenizer, "token_bytes", None)
    return own(token_id) if own else tokenizer.decode([token_id]).encode()


def token_rows(tokenizer: Tokenizer, ids: tuple[int, ...]) -> dict[str, list]:
    """A table of tokens: position, token, id, bytes, and how many whole characters it holds."""
    labels = tokenizer.str_tokens(ids)
    rows = {"position": [*range(len(ids))], "token": [visible(t, 40) for t in labels]}
    rows["id"] = list(ids)
    if not isinstance(tokenizer, IntegerTokenizer):
        parts = [token_bytes(tokenizer, token_id) for token_id in ids]
        rows["bytes"] = [part.hex(" ") for part in parts]
        rows["characters"] = [len(part.decode(errors="ignore")) for part in parts]
    return rows


def live_tokens(view: View) -> None:
    """The prompt's tokens as a strip, where a token lights up its copies, and as a table."""
    st.subheader("The tokens of the prompt")
    ids, tokenizer = torch.tensor(view.tokens), view.bundle.tokenizer
    same = ids[:, None] == ids
    place = pick_token(view)
    token_strip(
        view.labels,
        key="strip",
        name="The prompt, token by token",
        lock=place,
        weights=same.float(),
        phrase="has the same id as",
        on_lock=lock_token,
    )
    if place is not None:
        st.markdown(
            f"Token {place}, {quoted(view.labels[place])}, has the id {ids[place]}: it enters the "
            f"model as row {ids[place]} of W_E, {shape('d_vocab d_model')}, which has "
            f"{view.model.cfg.d_vocab:,} rows."
        )
    st.dataframe(token_rows(tokenizer, view.tokens), hide_index=True, height="auto")
    behind(
        {"same token": partial(equal_tokens, same, view.labels)},
        key="same token",
        code=[type(tokenizer).encode],
        program=view.program(
            "# 1 where two positions hold the same token\n"
            "result = (tokens[:, None] == tokens).float()"
        ),
    )
