"""Tokens: every id, merge and count on the page, against what the test works out for itself."""

import json
import subprocess
import sys

import pytest

from tests.pages.screen import ROOT, as_tensor, can_turn, figures, messages, open_code, turn

PAGE = "pages/read/tokens.py"
TEXT = "First Citizen: Speak, speak. Second Citizen: You are all resolved rather to"
ODD = [
    "x",
    "🎭 naïve 漢字",
    "שלום עולם",
    "<b>bold</b><img src=x onerror=alert(1)> **b** `c` $d$ :red[e]",
    "a\nb\n\n c\t",
    "aaaa aaaa  aaaa",
    "z" * 900,
]


@pytest.fixture
def bpe():
    import tfs

    return tfs.load("shakespeare").tokenizer


@pytest.fixture
def gpt2():
    from tfs.tokenizers import GPT2Tokenizer

    try:
        return GPT2Tokenizer()
    except OSError:
        pytest.skip("GPT-2's tokenizer files are not here")


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


def table(at, column):
    """The rows of the first table that has this column."""
    return next(t.value for t in at.dataframe if column in t.value.columns)


def widths(figure) -> list[list[int]]:
    return [as_tensor(trace["x"]).int().tolist() for trace in figure["data"]]


def staircase(at):
    return figures(at)[0]


def cuts(at):
    return figures(at)[1]


def said(at) -> str:
    return "\n".join(element.value for element in at.main.markdown)


def shown(token: str) -> str:
    from tfs.plots.tokens import visible

    return visible(token, 40)


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
    at.text_input(key="other").set_value("12").run()
    assert said(at).count("are the same tokens") == 2
    at.text_input(key="other").set_value("").run()
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
    at.text_input(key="other").set_value(other).run()
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
    at = visit(PAGE, model="shakespeare", one=one, other=other)
    boxes = [at.text_input(key=key) for key in ("one", "other")]
    assert [box.value for box in boxes] == [one, other]
    assert all("such as 12" in box.placeholder for box in boxes)
    captions = [c.value for c in at.caption if "is empty" in c.value or "nothing else" in c.value]
    assert len(captions) == len(hints)
    assert all(c.startswith(hint) for c, hint in zip(captions, hints, strict=True))


def test_a_neighbour_that_is_no_token_has_a_dash_for_its_rank(visit) -> None:
    at = visit(PAGE, model="shakespeare", merge="9")
    rivals = table(at, "what happens")
    assert rivals["rank"].isna().any(), "all of them have a rank"
    (shown,) = (t.proto for t in at.main.dataframe if "what happens" in t.value.columns)
    assert shown.placeholder == "–"


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
