"""What an encoder says of a text, beside what it says if it may only look back."""

from collections.abc import Sequence

import streamlit as st
import torch
from torch import Tensor

from pages._ui.layout import counted, figure, literal
from pages._ui.one_text import OneText, named, pick_position
from pages._ui.what_it_knows import say_what_is_strange, say_what_tags_mean
from tfs.interp import hooks_to_look_back, looking_back
from tfs.model.architectures import ENCODER_ONLY, PAIR_CLASSIFIER
from tfs.plots import paired_bars
from tfs.sample import logits_to_probs
from tfs.templates.spans import entity_spans

SIDES = ("both ways", "looking back only")
CANDIDATES = 6
COLOURS = ("blue", "green", "violet", "orange", "red", "yellow")
FUNCTIONS = (hooks_to_look_back, looking_back, logits_to_probs)


def shares_of(one: OneText) -> Tensor:
    """Probabilities [side pos d_vocab], of labels [side pos label], of the pair [side label]."""
    return torch.stack([logits_to_probs(one.run(back=back)[0]) for back in (False, True)])


def filled_in(one: OneText) -> None:
    """For each masked word what the model puts there, and what really stood there."""
    if not one.masked:
        st.info("No word is masked: choose one above, or type [MASK] in its place.")
        return
    shares = shares_of(one)
    for left in range(0, len(one.masked), 2):
        pair = one.masked[left : left + 2]
        for column, place in zip(st.columns(len(pair)), pair, strict=True):
            with column:
                _one_word(one, place, shares[:, place])


def _one_word(one: OneText, place: int, shares: Tensor) -> None:
    """shares: of every word at this place, [side d_vocab]."""
    said = shares.argmax(-1).tolist()
    was = one.really[place]
    best = shares[0].topk(min(CANDIDATES, shares.shape[1])).indices.tolist()
    was_typed = was == one.tokens[place]  # the mask itself: nobody knows what stood there
    ids = list(dict.fromkeys([*best, *said, *([] if was_typed else [was])]))
    words = named(one, ids)
    st.markdown(f"#### Position {place}: {literal(words[0])}")
    if not was_typed:
        (word,), (both, back) = named(one, [was]), shares[:, was].tolist()
        verdict = "so it is right" if said[0] == was else "so it is not what stood there"
        st.caption(
            f"Really **{literal(word)}**, {verdict}: the model gives it {both:.3f}, and if it may "
            f"only look back {back:.3f}."
        )
    _bars(one, shares[:, ids], words, f"word {place}", "token", f"[0, {place}, {ids}]")


def tagged(one: OneText) -> None:
    """Every word in the colour of its entity, both ways and looking back; then one word closely."""
    shares = shares_of(one)
    places = [place for place, _ in one.words]
    words, at_words = [word for _, word in one.words], shares[:, places]
    tags = [named(one, side) for side in at_words.argmax(-1).tolist()]
    for side, said, probs in zip(SIDES, tags, at_words.amax(-1).tolist(), strict=True):
        st.markdown(f"**{side.capitalize()}**")
        st.markdown(_coloured(words, said, probs))
    changed = sum(one_way != other for one_way, other in zip(*tags, strict=True))
    st.caption(
        "Behind each entity stands the lowest probability among its words. Of "
        f"{counted(len(words), 'word')}, {changed} {'gets' if changed == 1 else 'get'} another tag "
        "looking back only."
    )
    say_what_is_strange(one.name, words)
    say_what_tags_mean(list(one.bundle.model.labels))
    with st.expander("Every word with its tag"):
        st.dataframe(_table(words, tags, at_words), hide_index=True)
    apart = (at_words[0] - at_words[1]).abs().sum(-1)
    word = pick_position("One word closely", words, key="word", default=int(apart.argmax()))
    labels = list(one.bundle.model.labels)
    st.caption(f"Its first piece stands at position {places[word]}, where its tag is read.")
    _bars(one, shares[:, places[word]], labels, "tags", "label", f"[0, {places[word]}]")


def _table(words: Sequence[str], tags: Sequence[Sequence[str]], shares: Tensor) -> dict[str, list]:
    table: dict[str, list] = {"word": list(words)}
    for side, said, probs in zip(SIDES, tags, shares.amax(-1).tolist(), strict=True):
        table |= {f"tag, {side}": list(said), f"probability, {side}": probs}
    return table


def _coloured(words: Sequence[str], tags: Sequence[str], probs: Sequence[float]) -> str:
    """Markdown: entities on a ground of the colour of their kind, named, with their probability."""
    spans = {span.start: span for span in entity_spans(list(tags))}
    kinds = sorted({span.kind for span in spans.values()})
    said, place = [], 0
    while place < len(words):
        span = spans.get(place)
        if span is None:
            said.append(literal(words[place]))
            place += 1
            continue
        name = literal(" ".join(words[span.start : span.end]))
        lowest = min(probs[span.start : span.end])
        colour = COLOURS[_number(span.kind, kinds) % len(COLOURS)]
        said.append(f":{colour}-background[{name} **{literal(span.kind)}** {lowest:.2f}]")
        place = span.end
    return " ".join(said)


def _number(kind: str, kinds: Sequence[str]) -> int:
    usual = ("PER", "LOC", "ORG", "DATE")
    return usual.index(kind) if kind in usual else len(usual) + kinds.index(kind)


def verdict(one: OneText) -> None:
    """Of two texts: which label, and with what probability."""
    shares = shares_of(one)
    labels = list(one.bundle.model.labels)
    best = int(shares[0].argmax())
    st.markdown(f"#### {literal(labels[best])}: {shares[0, best]:.3f}")
    st.caption(
        "The verdict is read at position 0, that of [CLS]. If it may only look back, that position "
        "sees itself alone, so it says the same of all texts."
    )
    _bars(one, shares, labels, "verdict", "label", "[0]")


def _bars(one: OneText, shares: Tensor, names: list[str], key: str, what: str, where: str) -> None:
    """shares [side name], and the program that reads them at `where` in the logits."""
    lines = f"result = torch.stack([each.softmax(-1){where} for each in (logits, logits_back)])"
    figure(
        paired_bars(shares, names, SIDES, token=what, side="reading"),
        key=key,
        code=FUNCTIONS,
        reads="hook_attn_scores [batch head query_pos key_pos]",
        program=one.program(lines, back=True),
    )


ANSWERS = {ENCODER_ONLY: filled_in, PAIR_CLASSIFIER: verdict}


def answers(one: OneText) -> None:
    """What this model is for, said of the text on screen."""
    ANSWERS.get(one.architecture, tagged)(one)
