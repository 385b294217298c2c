"""Tokens: every id, cut and count on the page, against what the test works out for itself."""

import json
import subprocess
import sys

import pytest

from tests.pages.screen import ROOT, figures, messages, open_code, turn
from tests.pages.tokens_page import ODD, PAGE, TEXT, said, staircase, table, widths


def cuts(at):
    return figures(at)[1]


@pytest.mark.parametrize("prompt", [TEXT, *ODD[:-1]])
def test_the_table_of_tokens_is_what_tiktoken_says(visit, bpe, prompt) -> None:
    at = visit(PAGE, model="shakespeare", prompt=prompt)
    rows = table(at, "characters")
    ids = bpe.encoding.encode_ordinary(prompt)
    parts = [bpe.encoding.decode_single_token_bytes(i) for i in ids]
    assert rows["position"].tolist() == list(range(len(ids)))
    assert rows["id"].tolist() == ids
    assert [bytes.fromhex(part) for part in rows["bytes"]] == parts
    whole = [len(part.decode(errors="ignore")) for part in parts]
    assert rows["characters"].tolist() == whole
    assert b"".join(parts).decode() == prompt


def test_a_model_of_numbers_has_ids_and_no_bytes(visit) -> None:
    at = visit(PAGE, model="mirror")
    rows = table(at, "position")
    assert rows["id"].tolist() == [int(word) for word in at.session_state["prompt"].split()]
    assert "bytes" not in rows.columns
    assert len(messages(at)) == 1 and "reads whole numbers" in messages(at)[0]
    at.text_input(key="text").set_value("12 cats").run()
    assert table(at, "characters per token")["tokens"].tolist()[0] == len("12 cats")
    at.text_input(key="text").set_value("").run()
    assert not at.exception and "nothing to cut" in messages(at)[-1]


@pytest.mark.parametrize("text", [TEXT, *ODD])
def test_counts_and_cuts_of_three_tokenizers(visit, bpe, gpt2, text) -> None:
    at = visit(PAGE, model="mirror", text=text)
    assert not at.exception and not at.error
    rows = table(at, "characters per token")
    assert rows["cut by"].tolist() == ["characters", "shakespeare", "GPT-2"]
    ids = [t.encoding.encode_ordinary(text) for t in (bpe, gpt2)]
    counts = [len(text), *map(len, ids)]
    assert rows["tokens"].tolist() == counts
    assert rows["characters per token"].tolist() == [len(text) / count for count in counts]
    assert rows["size of the vocabulary"].tolist() == [len(set(text)), bpe.d_vocab, 50257]
    drawn = widths(cuts(at))
    assert drawn[0] == [len(char.encode()) for char in text]
    for row, tokenizer, tokens in zip(drawn[1:], (bpe, gpt2), ids, strict=True):
        assert row == [len(tokenizer.encoding.decode_single_token_bytes(i)) for i in tokens]


def test_what_was_typed_is_never_markup(visit) -> None:
    typed = "**b** <i>x</i> $y$ :red[z] [l](http://e)"
    at = visit(PAGE, model="mirror", text=typed, one=typed, other="`" + typed, merge="2")
    assert not at.exception
    for element in [*at.main.markdown, *at.main.info, *at.main.caption]:
        for markup in ("**b**", "<i>", "$y$", ":red[", "](http://e"):
            assert markup not in element.value.replace("**\\", "").replace("'**", "")
    texts = json.dumps([[t.get("text") for t in f["data"]] for f in figures(at)])
    assert "<" not in texts.replace("\\u003c", "<")


def test_12_with_and_without_a_blank(visit, bpe, gpt2) -> None:
    at = visit(PAGE, model="shakespeare")
    rows = table(at, "words")
    assert rows["text"].tolist() == ["12", "·12", "12", "·12"]
    expected = [t.encoding.encode_ordinary(text) for t in (bpe, gpt2) for text in ("12", " 12")]
    assert [[int(i) for i in ids.split()] for ids in rows["ids"]] == expected
    assert expected[2] != expected[3] and len(expected[2]) == len(expected[3]) == 1
    assert "have no id in common" in said(at) and "share the ids 49, 50" in said(at)
    at.text_input(key="another").set_value("12").run()
    assert said(at).count("are the same tokens") == 2
    at.text_input(key="another").set_value("").run()
    assert not at.exception and said(at).count("and an empty text is 0 tokens.") == 2


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("", " ", "an empty text is 0 tokens and ' ' is 1 token."),
        ("", "", "an empty text is 0 tokens and an empty text is 0 tokens."),
        (" ", "  ", "' ' is 1 token and '  ' is 2 tokens; they share the ids 32."),
    ],
)
def test_texts_of_blanks_keep_them_and_an_empty_one_is_compared_with_nothing(
    visit, one, other, says
) -> None:
    at = visit(PAGE, model="shakespeare")
    at.text_input(key="one").set_value(one).run()
    at.text_input(key="another").set_value(other).run()
    assert not at.exception
    assert f"**shakespeare**, {says}" in said(at).replace("\\", "")


@pytest.mark.parametrize(
    ("one", "other", "hints"),
    [
        ("", "", ["“One text” is empty", "“Another” is empty"]),
        ("12", "", ["“Another” is empty"]),
        (" ", "  ", ["“One text” holds 1 blank and", "“Another” holds 2 blanks and"]),
        ("12", " 12", []),
    ],
)
def test_a_box_that_looks_empty_has_a_hint(visit, one, other, hints) -> None:
    at = visit(PAGE, model="shakespeare", one=one, another=other)
    boxes = [at.text_input(key=key) for key in ("one", "another")]
    assert [box.value for box in boxes] == [one, other]
    assert all("such as 12" in box.placeholder for box in boxes)
    captions = [c.value for c in at.caption if "is empty" in c.value or "nothing else" in c.value]
    assert len(captions) == len(hints)
    assert all(c.startswith(hint) for c, hint in zip(captions, hints, strict=True))


def test_one_of_anything_is_in_the_singular(visit) -> None:
    at = visit(PAGE, model="shakespeare", prompt="x")
    assert "1 character and 1 byte." in said(at) + str([c.value for c in at.caption])
    assert "1 piece;" in str([c.value for c in at.caption])
    at = visit(PAGE, model="shakespeare", prompt="to")
    assert "1 word, 2 bytes, each byte a piece of its own; 1 merge to come." in said(at)
    turn(at, "merge", "Forward")
    assert "1 pair of neighbours in this word" in str([c.value for c in at.caption])


def test_the_question_is_graded_by_the_tokenizer(visit, bpe) -> None:
    at = visit(PAGE, model="shakespeare", ask="true")
    question = next(g for g in at.button_group if g.key == "predict one token")
    words = [option.replace("\\", "") for option in question.options]
    whole = [word for word in words if len(bpe.encode(word[1:-1])) == 1]
    assert len(whole) == 1 and len(words) == 4
    assert not [s.value for s in at.subheader if "merges" in s.value]
    at.session_state["predict one token"] = whole[0]
    at.run()
    assert "Right" in at.success[0].value
    assert str(bpe.encode(whole[0][1:-1])[0]) in at.success[0].value
    assert [s.value for s in at.subheader if "merges" in s.value]


def test_without_gpt2_the_page_says_so_in_one_sentence(visit, monkeypatch, tmp_path) -> None:
    from pages._ui import state

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    state.gpt2_tokenizer.clear()
    try:
        at = visit(PAGE, model="shakespeare", bpe="GPT-2")
        assert not at.exception and not at.error
        assert all("not on this computer" in message for message in messages(at))
        assert 1 <= len(messages(at)) <= 2
        assert table(at, "characters per token")["cut by"].tolist() == ["characters", "shakespeare"]
    finally:
        state.gpt2_tokenizer.clear()


RUN_ALL = """
import json, sys
results = []
for program in json.load(sys.stdin):
    names = {}
    exec(program, names)
    result = names["result"]
    results.append(result.tolist() if hasattr(result, "tolist") else result)
print(json.dumps(results))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        {"model": "shakespeare", "merge": "9", "bpe": "GPT-2", "prompt": "He said \"é\n'🎭'"},
        {"model": "mirror", "merge": "20"},
    ],
)
def test_pasted_programs_give_the_numbers_of_the_page(visit, gpt2, query) -> None:
    at = visit(PAGE, **query)
    programs = [code.value for code in open_code(at).main.code if "result = " in code.value]
    run = [sys.executable, "-c", RUN_ALL]
    done = subprocess.run(
        run, input=json.dumps(programs), capture_output=True, text=True, cwd=ROOT, check=True
    )
    same, merges, rows = json.loads(done.stdout)
    ids = table(at, "position")["id"].tolist()
    assert same == [[float(one == other) for other in ids] for one in ids]
    assert merges == widths(staircase(at))
    assert rows == widths(cuts(at))
