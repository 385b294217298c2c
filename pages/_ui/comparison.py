"""The same text for several tokenizers, and two texts that differ by a blank."""

import streamlit as st

from pages._ui.controls import View
from pages._ui.layout import counted, figure, literal, quoted
from pages._ui.readers import NO_GPT2, Reader, token_bytes
from tfs.plots import cut_rows
from tfs.plots.tokens import visible
from tfs.tokenizers import CharTokenizer, Tokenizer, compare, show_bytes, split_words

MOST_CHARACTERS = 60


def comparison(view: View, trained: Reader, gpt2: Reader | None, text: str) -> None:
    """How many tokens a text is, and where each tokenizer cuts it."""
    tokenizers: dict[str, Tokenizer] = {"characters": CharTokenizer.train(text)}
    tokenizers |= {reader.name: reader.tokenizer for reader in (trained, gpt2) if reader}
    if gpt2 is None:
        st.info(NO_GPT2)
    counts = compare(text, tokenizers)
    st.dataframe(
        {
            "cut by": list(counts),
            "tokens": [count.tokens for count in counts.values()],
            "characters per token": [count.characters_per_token for count in counts.values()],
            "size of the vocabulary": [t.d_vocab for t in tokenizers.values()],
        },
        hide_index=True,
        column_config={"characters per token": st.column_config.NumberColumn(format="%.2f")},
    )
    one = next(iter(counts.values()))
    st.caption(
        f"The text has {counted(one.characters, 'character')} and {counted(one.bytes, 'byte')}. "
        "The vocabulary of characters is this text's own: whatever it does not hold, it could not "
        "read."
    )
    rows = [[token_bytes(t, i) for i in t.encode(text)] for t in tokenizers.values()]
    readers = ["CharTokenizer.train(text)", "bpe", *(["GPT2Tokenizer()"] if gpt2 else [])]
    imports = (CharTokenizer, *(gpt2.imports if gpt2 else ()))
    figure(
        cut_rows(
            rows,
            [[show_bytes(piece) for piece in row] for row in rows],
            list(counts),
            in_lines=True,
        ),
        key="cuts",
        code=[compare, *(type(tokenizer).encode for tokenizer in tokenizers.values())],
        program=trained.program(
            view,
            text,
            f"readers = [{', '.join(readers)}]\n"
            "parts = [[r.decode([i]).encode() if r is readers[0] else r.token_bytes(i)\n"
            "          for i in r.encode(text)] for r in readers]\n"
            "result = [[len(part) for part in row] for row in parts]",
            *imports,
        ),
    )


def with_and_without_blank(trained: Reader, gpt2: Reader | None) -> None:
    """Two short texts, by default "12" and " 12", in the tokens of each tokenizer."""
    labels = ("One text", "Another")
    with st.container(horizontal=True):
        texts = [
            st.text_input(
                label,
                start,
                key=key,
                bind="query-params",
                max_chars=MOST_CHARACTERS,
                placeholder="Type a text, such as 12",
            )
            for label, start, key in zip(labels, ("12", " 12"), ("one", "another"), strict=True)
        ]
    _say_what_cannot_be_seen(dict(zip(labels, texts, strict=True)))
    readers = [reader for reader in (trained, gpt2) if reader]
    rows = [(reader, text, reader.tokenizer.encode(text)) for reader in readers for text in texts]
    st.dataframe(
        {
            "cut by": [reader.name for reader, _, _ in rows],
            "text": [visible(text, MOST_CHARACTERS) for _, text, _ in rows],
            "words": [_shown(split_words(text, r.tokenizer.pattern)) for r, text, _ in rows],
            "tokens": [_shown(r.tokenizer.str_tokens(ids)) for r, _, ids in rows],
            "ids": [" ".join(map(str, ids)) for _, _, ids in rows],
            "bytes": [
                " | ".join(r.tokenizer.token_bytes(i).hex(" ") for i in ids) for r, _, ids in rows
            ],
        },
        hide_index=True,
    )
    for reader in readers:
        one, other = ([*reader.tokenizer.encode(text)] for text in texts)
        shared = sorted(set(one) & set(other))
        said = f"share the ids {', '.join(map(str, shared))}" if shared else "have no id in common"
        if one == other:
            said = "are the same tokens"
        st.markdown(
            f"For **{literal(reader.name)}**, {_counted(texts[0], one)} and "
            f"{_counted(texts[1], other)}" + (f"; they {said}." if one and other else ".")
        )


def _say_what_cannot_be_seen(boxes: dict[str, str]) -> None:
    """A box of blanks looks like an empty one, and an empty one like a mistake of ours."""
    for label, text in boxes.items():
        if not text:
            st.caption(f"“{label}” is empty: type something there, even a blank.")
        elif text.isspace():
            st.caption(f"“{label}” holds {counted(len(text), 'blank')} and nothing else.")


def _shown(parts: list[str]) -> str:
    return " | ".join(visible(part, MOST_CHARACTERS) for part in parts)


def _counted(text: str, ids: list[int]) -> str:
    """A text and its tokens in words; nothing has no letters that could stand in quotes."""
    return f"{quoted(text) if text else 'an empty text'} is {counted(len(ids), 'token')}"
