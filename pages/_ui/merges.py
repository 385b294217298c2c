"""Byte-pair encoding in slow motion: a question on it, then every merge of a text, one by one."""

from itertools import pairwise

import streamlit as st

from pages._ui.controls import View
from pages._ui.layout import counted, figure, quoted
from pages._ui.predict import predict
from pages._ui.readers import Reader
from pages._ui.steps import counter
from tfs.plots import cut_rows
from tfs.plots.tokens import visible
from tfs.tokenizers import ReplayStep, bpe_merges, pieces_after, replay, show_bytes, split_words

LONGEST_OPTION = 30
MOST_ROWS = 12
MOST_PIECES = 1500


def ask_which_is_one_token(reader: Reader, text: str) -> bool:
    """One word that is a single token, among up to three that are not; None such, no question."""
    tokenizer = reader.tokenizer
    words = dict.fromkeys(split_words(text, tokenizer.pattern))
    sizes = {w: len(tokenizer.encode(w)) for w in words if 1 < len(w.encode()) <= LONGEST_OPTION}
    whole = sorted((word for word, size in sizes.items() if size == 1), key=len)
    split = sorted((word for word, size in sizes.items() if size > 1), key=len)
    if not whole or not split:
        return True
    options = sorted([whole[-1], *split[:3]])
    others = ", ".join(f"{quoted(word)} {sizes[word]}" for word in options if sizes[word] > 1)
    return predict(
        f"Which of these pieces of the text is a single token for {reader.name}?",
        [repr(word) for word in options],
        repr(whole[-1]),
        f"Its id is {tokenizer.encode(whole[-1])[0]}. Tokens of the others: {others}.",
        key="predict one token",
    )


def merges(view: View, reader: Reader, text: str) -> None:
    """A counter over the merges of the text, and what the merge on screen did."""
    steps = list(replay(text, reader.tokenizer))
    at = counter(len(steps), key="merge", label=f"Merges done, of {len(steps)}", name="Merge")
    step = steps[at - 1] if at else None
    words = pieces_after(text, reader.tokenizer, steps[:at])
    if not steps:
        st.info(
            f"No two neighbours of this text are a token of {reader.name} together, so nothing "
            "merges: its single bytes are its tokens."
        )
    elif step is None:
        st.markdown(
            f"{counted(len(words), 'word')}, {counted(sum(map(len, words)), 'byte')}, each byte a "
            f"piece of its own; {counted(len(steps), 'merge')} to come. Press **Forward**, or the "
            "right arrow key."
        )
    else:
        _said(step, at, len(steps))
    pieces = [show_bytes(piece) for word in words for piece in word]
    st.code(" | ".join(visible(piece, 40) for piece in pieces), language=None, wrap_lines=True)
    st.caption(f"{counted(len(pieces), 'piece')}; · is a space, ↵ the end of a line.")
    if step:
        _rivals(step, reader)
    _staircase(view, reader, text, steps, at)


def _said(step: ReplayStep, at: int, count: int) -> None:
    left, right = (quoted(show_bytes(piece)) for piece in step.pair)
    st.markdown(
        f"**Merge {at} of {count}**, in the word {quoted(show_bytes(b''.join(step.before)))}: "
        f"**{left}** + **{right}** became **{quoted(show_bytes(step.merged))}**, rank {step.rank}."
    )


def _rivals(step: ReplayStep, reader: Reader) -> None:
    """All neighbours of the word before the merge, and who of them could have joined."""
    pairs = list(pairwise(step.before))
    ranks = [reader.tokenizer.ranks.get(left + right) for left, right in pairs]
    able = sum(rank is not None for rank in ranks)
    st.caption(
        f"{counted(len(pairs), 'pair')} of neighbours in this word, {able} of them a token "
        "together. The lowest rank was learned first, so it joins first."
    )
    st.dataframe(
        {
            "pair": [" + ".join(visible(show_bytes(p)) for p in pair) for pair in pairs],
            "together": [visible(show_bytes(left + right), 40) for left, right in pairs],
            "rank": ranks,
            "what happens": [
                "joins" if place == step.position else "waits" if rank is not None else "no token"
                for place, rank in enumerate(ranks)
            ],
        },
        hide_index=True,
        placeholder="–",
    )


def _staircase(view: View, reader: Reader, text: str, steps: list[ReplayStep], at: int) -> None:
    """The word of the last merge, from its bytes down to what it is by now."""
    if at:
        word = steps[at - 1].word
        done = [step for step in steps[:at] if step.word == word]
        rows = [done[0].before, *(step.after for step in done)]
        names = ["bytes", *(f"rank {step.rank}" for step in done)]
        marked = done[-1].position
        body = f"steps = [s for s in list(replay(text, bpe))[:{at}] if s.word == {word}]\n"
        body += "rows = [steps[0].before, *(step.after for step in steps)]\n"
    else:
        word, marked, names = (steps[0].word if steps else 0), None, ["bytes"]
        rows = [pieces_after(text, reader.tokenizer)[word]]
        body = f"rows = [pieces_after(text, bpe)[{word}]]\n"
    most = max(2, min(MOST_ROWS, MOST_PIECES // len(rows[0])))
    rows, names = rows[-most:], names[-most:]
    figure(
        cut_rows(
            rows,
            [[show_bytes(piece) for piece in row] for row in rows],
            names,
            marked=None if marked is None else (len(rows) - 1, marked),
            title=f"The word {visible(show_bytes(b''.join(rows[0])), 40)}",
        ),
        key="merges",
        code=[replay, bpe_merges],
        program=reader.program(
            view,
            text,
            f"{body}result = [[len(piece) for piece in row] for row in rows[-{most}:]]",
            replay if at else pieces_after,
        ),
    )
