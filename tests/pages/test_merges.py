"""Merges replayed one by one: every pair, rank and piece against a replay written out here."""

import json

import pytest

from tests.pages.screen import can_turn, figures, messages, turn
from tests.pages.tokens_page import ODD, PAGE, TEXT, said, shown, staircase, table, widths


def merges_of(word: bytes, ranks) -> list[tuple[bytes, bytes, int, list[bytes]]]:
    """Byte-pair encoding, written out once more: (left, right, rank, pieces after) per merge."""
    pieces, done = [word[i : i + 1] for i in range(len(word))], []
    while True:
        able = [
            (ranks[pieces[i] + pieces[i + 1]], i)
            for i in range(len(pieces) - 1)
            if pieces[i] + pieces[i + 1] in ranks
        ]
        if not able:
            return done
        rank, i = min(able)
        left, right = pieces[i], pieces[i + 1]
        pieces = [*pieces[:i], left + right, *pieces[i + 2 :]]
        done.append((left, right, rank, pieces))


def all_merges(text, tokenizer):
    import regex

    words = regex.findall(tokenizer.pattern, text)
    return [(word, *merge) for word in words for merge in merges_of(word.encode(), tokenizer.ranks)]


@pytest.mark.parametrize("model", ["shakespeare", "mirror"])
@pytest.mark.parametrize("which", ["trained BPE", "GPT-2"])
def test_every_merge_is_replayed(visit, bpe, gpt2, model, which) -> None:
    tokenizer = gpt2 if which == "GPT-2" else bpe
    expected = all_merges(TEXT, tokenizer)
    at = visit(PAGE, model=model, bpe=which)
    assert at.slider(key="merge").max == len(expected)
    for number in (1, 5, 6, len(expected) // 2, len(expected)):
        at.slider(key="merge").set_value(number).run()
        word, left, right, rank, pieces = expected[number - 1]
        sentence = said(at).replace("\\", "")
        assert f"Merge {number} of {len(expected)}" in sentence and f"rank {rank}." in sentence
        assert f"**{left.decode()!r}** + **{right.decode()!r}**" in sentence
        assert f"became **{(left + right).decode()!r}**" in sentence
        rivals = table(at, "what happens")
        (joins,) = rivals.index[rivals["what happens"] == "joins"]
        assert rivals["rank"][joins] == rank == rivals["rank"].min()
        assert rivals["together"][joins] == shown((left + right).decode())
        assert widths(staircase(at))[-1] == [len(piece) for piece in pieces]
        assert sum(widths(staircase(at))[0]) == len(word.encode())
    (line,) = (code.value for code in at.main.code if code.language != "python")
    assert line.split(" | ") == [shown(t) for t in tokenizer.str_tokens(TEXT)]


def test_before_the_first_merge_all_pieces_are_bytes(visit) -> None:
    at = visit(PAGE, model="shakespeare")
    assert at.slider(key="merge").value == 0
    assert f"{len(TEXT)} bytes, each byte a piece of its own" in said(at)
    assert widths(staircase(at)) == [[1] * 5]
    assert not can_turn(at, "merge", "Back") and can_turn(at, "merge", "Forward")


def test_the_counter_goes_back_and_forward_and_follows_the_text(visit, bpe) -> None:
    at = visit(PAGE, model="shakespeare", merge="3")
    assert at.slider(key="merge").value == 3 and can_turn(at, "merge", "Back")
    turn(at, "merge", "Forward")
    assert at.slider(key="merge").value == 4 and "Merge 4 of" in said(at)
    turn(at, "merge", "Back")
    turn(at, "merge", "Back")
    assert at.slider(key="merge").value == 2
    at.text_area(key="prompt").set_value("First").run()
    assert at.slider(key="merge").value == 2, "it is still there"
    count = len(all_merges("First", bpe))
    at.slider(key="merge").set_value(count).run()
    assert not can_turn(at, "merge", "Forward")
    at.text_area(key="prompt").set_value("the").run()
    assert at.slider(key="merge").value == len(all_merges("the", bpe)) < count
    at.text_area(key="prompt").set_value("x").run()
    assert not at.exception and "nothing merges" in messages(at)[0]
    at.text_area(key="prompt").set_value(TEXT).run()
    turn(at, "merge", "again")
    assert at.slider(key="merge").value == 0
    at.selectbox(key="model").set_value("mirror").run()
    assert not at.exception and not at.error


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("which", ["trained BPE", "GPT-2"])
def test_any_text_can_be_replayed_to_its_end(visit, bpe, gpt2, text, which) -> None:
    tokenizer = gpt2 if which == "GPT-2" else bpe
    expected = all_merges(text, tokenizer)
    at = visit(PAGE, model="mirror", text=text, bpe=which, merge=str(len(expected)))
    assert not at.exception and not at.error
    if expected:
        assert f"Merge {len(expected)} of {len(expected)}" in said(at)
        assert widths(staircase(at))[-1] == [len(piece) for piece in expected[-1][-1]]
    assert all(len(json.dumps(f)) < 300_000 for f in figures(at))


def test_a_neighbour_that_is_no_token_has_a_dash_for_its_rank(visit) -> None:
    at = visit(PAGE, model="shakespeare", merge="9")
    rivals = table(at, "what happens")
    assert rivals["rank"].isna().any(), "all of them have a rank"
    (shown,) = (t.proto for t in at.main.dataframe if "what happens" in t.value.columns)
    assert shown.placeholder == "–"
