"""Two texts: what is written, what each token of it looks at, what a beam search weighed."""

import json
import math

import pytest
import torch

from tests.pages.compare_page import levels
from tests.pages.screen import as_tensor, can_turn, drawn, header, said, the_map, turn

PAGE = "pages/read/translation.py"
SENTENCE = "the small red dog does not see the birds"
TEXTS = {
    "dates": ("the 7th of March, 1994", "1994-03-07"),
    "numbers": ("twelve thousand and five", "12005"),
    "grammar": ("the dogs see the cat", None),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("step", [None, 3])
def test_what_is_written_and_where_it_looks(visit, decoded, name, step) -> None:
    text, expected = TEXTS[name]
    so_far = {} if step is None else {"so far": str(step)}
    at = visit(PAGE, pair=name, head="2", **{f"text for {name}": text}, **so_far)
    assert not at.exception and not at.error
    tokenizer, source, written, cache = decoded(name, text)
    n = len(written) if step is None else step
    shown = next(m.value for m in at.markdown if m.value.startswith("####")).replace("\\", "")
    plain = tokenizer.plain(written[:n])
    assert shown == f"#### {plain}" + (" …" if step else "") and expected in (
        None,
        tokenizer.plain(written),
    )
    parts = {
        "cross": (cache["decoder.0.cross_attn.hook_pattern"][0, 2, :n], source),
        "encoder": (cache["encoder.0.attn.hook_pattern"][0, 2], source),
        "decoder": (cache["decoder.0.attn.hook_pattern"][0, 2, :n, :n], None),
    }
    for key, (pattern, keys) in parts.items():
        torch.testing.assert_close(the_map(at, key), pattern, atol=1e-5, rtol=0)
        if keys:
            assert len(header(at, key)["columns"]["labels"]) == len(keys)


def lock_in_mosaic(at, part, **cell):
    """A click in a mosaic, as the browser sends it, and the page as it stands then."""
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{part} mosaic"))
    states = at._tree.get_widget_states()
    states.widgets.add(id=proto.id, json_value=json.dumps({"cell": cell}))
    return at._run(states)


def test_the_mosaic_shows_every_head_and_fills_as_the_text_grows(visit, decoded) -> None:
    at = visit(PAGE, pair="grammar", **{"so far": "4"})
    _, source, written, cache = decoded("grammar", SENTENCE)
    patterns = cache["decoder.0.cross_attn.hook_pattern"][0]
    shown = levels(at, "cross mosaic").float()
    torch.testing.assert_close(shown, patterns, atol=0.5 / 255 + 1e-6, rtol=0)
    head = header(at, "cross mosaic")
    assert (head["open"], head["queries"], head["keys"]) == (4, len(written), len(source))
    assert len(head["query_labels"]) == len(written) and len(head["key_labels"]) == len(source)
    at = turn(at, "so far", "Write the next token")
    assert header(at, "cross mosaic")["open"] == 5 and len(the_map(at, "cross")) == 5


def test_a_head_that_is_chosen_in_the_mosaic_becomes_the_large_one(visit, decoded) -> None:
    at = visit(PAGE, pair="grammar")
    at = lock_in_mosaic(at, "cross", head=2, query=3, key=5)
    assert not at.exception and at.session_state["head"] == 2
    *_, cache = decoded("grammar", SENTENCE)
    wanted = cache["decoder.0.cross_attn.hook_pattern"][0, 2]
    torch.testing.assert_close(the_map(at, "cross"), wanted, atol=1e-5, rtol=0)
    assert header(at, "cross")["lock"] == {"row": 3, "column": 5}
    assert header(at, "cross mosaic")["lock"] == {"head": 2, "query": 3, "key": 5}
    at.slider(key="so far").set_value(2).run()
    assert not at.exception and header(at, "cross mosaic")["lock"] is None, "row 3 is not there yet"
    outside = lock_in_mosaic(at, "cross", head=1, query=7, key=0)
    assert not outside.exception and header(outside, "cross mosaic")["lock"] is None


def test_the_next_token_is_written_until_the_end(visit, decoded) -> None:
    at = visit(PAGE, pair="dates", **{"so far": "9"})
    _, _, written, _ = decoded("dates", TEXTS["dates"][0])
    for step in range(10, len(written) + 1):
        at = turn(at, "so far", "Write the next token")
        assert at.slider(key="so far").value == step
    assert not can_turn(at, "so far", "Write the next token")
    at = turn(at, "so far", "From the start")
    assert at.slider(key="so far").value == 1


def test_whoever_is_at_the_end_stays_there_when_the_text_changes(visit) -> None:
    at = visit(PAGE, pair="grammar")
    for text in ("the dogs see the cat", SENTENCE):
        at.text_input(key="text for grammar").set_value(text).run()
        assert at.slider(key="so far").value == at.slider(key="so far").max
    at.slider(key="so far").set_value(3).run()
    at.text_input(key="text for grammar").set_value("the dogs see the cat").run()
    assert at.slider(key="so far").value == 3


def test_rings_stand_where_the_words_come_from(visit, decoded) -> None:
    from tfs.tasks.grammar import GrammarTask

    at = visit(PAGE, pair="grammar", **{"so far": "7"})
    places = GrammarTask().alignment(SENTENCE)
    assert header(at, "cross")["rings"] == [list(ring) for ring in enumerate(places[:7])]
    *_, cache = decoded("grammar", SENTENCE)
    pattern = cache["decoder.0.cross_attn.hook_pattern"][0]
    scores = torch.stack([pattern[:, row, place] for row, place in enumerate(places)]).mean(0)
    names = [f"L0H{head} · {score:.0%}" for head, score in enumerate(scores.tolist())]
    assert header(at, "cross mosaic")["names"] == names
    best = int(scores.argmax())
    assert f"**L0H{best}** looks there most: {scores[best]:.0%} of its weight" in said(at)
    assert "Spread evenly over the 9 words that were read, it would be 11%." in said(at)
    at.toggle(key="aligned").set_value(False).run()
    assert header(at, "cross")["rings"] == [] and "Rings mark" not in said(at)
    assert header(at, "cross mosaic")["names"] == ["L0H0", "L0H1", "L0H2", "L0H3"]


@pytest.mark.parametrize("text", ["the the the", "dog cat", "does the dog"])
def test_a_text_outside_the_grammar_has_no_rings(visit, text) -> None:
    at = visit(PAGE, pair="grammar", **{"text for grammar": text})
    assert not at.exception and header(at, "cross")["rings"] == []
    assert f"“{text}” is none." in said(at).replace("\\", "")


def test_no_other_task_claims_to_know_an_alignment(visit) -> None:
    at = visit(PAGE, pair="dates")
    assert header(at, "cross")["rings"] == [] and "comes from" not in said(at)
    assert "aligned" not in [toggle.key for toggle in at.toggle]


def test_each_head_is_taken_out(visit, decoded) -> None:
    import tfs

    at = visit(PAGE, pair="grammar")
    _, source, written, cache = decoded("grammar", SENTENCE)
    model = tfs.load("grammar").model
    start = tfs.load("grammar").tokenizer.mark_id("<s>")
    ids = torch.tensor([source]), torch.tensor([[start, *written[:-1]]])
    rows, totals = the_map(at, "missed"), []
    for row, head in enumerate((None, 0, 1, 2, 3)):

        def without(z, hook, head=head):
            z = z.clone()
            if head is not None:
                z[:, :, head] = 0
            return z

        logits = model.run_with_hooks(*ids, fwd_hooks=[("decoder.0.cross_attn.hook_z", without)])
        probs = logits[0].softmax(-1)[range(len(written)), written]
        torch.testing.assert_close(rows[row], probs, atol=1e-4, rtol=0)
        totals.append(probs.prod().item())
    assert f"The whole text has probability {totals[0]:.3f}." in said(at)
    assert f"Without L0H0, which looks most at the ringed words (84%), it is {totals[1]:.3f}" in (
        said(at)
    )
    most = min(range(4), key=lambda head: totals[1 + head])
    assert f"L0H{most} is missed most: {totals[1 + most]:.3f} without it." in said(at)


def test_candidates_are_those_of_the_search(visit, decoded) -> None:
    at = visit(PAGE, pair="dates", beams="2", **{"so far": "1"})
    (table,) = at.dataframe
    tokenizer, source, _, _ = decoded("dates", TEXTS["dates"][0])
    import tfs

    model, start = tfs.load("dates").model, tokenizer.mark_id("<s>")
    logs = model(torch.tensor([source]), torch.tensor([[start]]))[0, -1].log_softmax(-1)
    best = logs.topk(4)
    assert table.value["nats of the text"].tolist() == pytest.approx(best.values.tolist(), abs=1e-4)
    assert table.value["text so far"].tolist() == tokenizer.str_tokens(best.indices.tolist())
    assert table.value["fate"].tolist() == ["kept", "kept", "cut", "cut"]
    assert table.value["candidate"].tolist() == ["1", "2", "3", "4"]
    assert set(table.value["goes on from candidate"]) == {"start"}
    assert "At most 2 beams go on; the others are cut" in said(at)
    kept, cut = (
        next(trace for trace in drawn(at, "beam tree")["data"] if trace.get("name") == name)
        for name in ("kept", "cut")
    )
    assert as_tensor(kept["x"]).tolist() == [1, 2] and as_tensor(cut["x"]).tolist() == [3, 4]


def test_a_table_of_candidates_adds_up_from_the_ones_that_the_tree_shows_before_them(visit) -> None:
    before, now = (
        visit(PAGE, pair="dates", beams="3", **{"so far": step}).dataframe[0].value
        for step in ("3", "4")
    )
    assert now["candidate"].tolist() == [str(place) for place in range(1, 7)]
    for text, parent, added, total, share in zip(
        now["text so far"],
        now["goes on from candidate"].astype(int) - 1,
        now["nats of the token"],
        now["nats of the text"],
        now["probability of the text"],
        strict=True,
    ):
        assert before["fate"][parent] == "kept"
        assert text.rsplit(" ", 1)[0] == before["text so far"][parent]
        assert total == pytest.approx(before["nats of the text"][parent] + added, abs=1e-6)
        percent = 100 * math.exp(total)
        rare, sure = percent < 0.5, percent >= 99.5
        assert share == ("<1%" if rare else ">99%" if sure else f"{percent:.0f}%")
    assert {"<1%", ">99%"} <= set(now["probability of the text"])


def test_nobody_is_kept_when_the_search_is_over(visit) -> None:
    at = visit(PAGE, pair="grammar", beams="1", **{"text for grammar": "the dogs see the cat"})
    (table,) = at.dataframe
    assert table.value["fate"].tolist() == ["finished", "cut"]
    assert "At most 1 beam goes on; the others are cut" in said(at)


@pytest.mark.parametrize("alpha", ["0.0", "2.0"])
def test_the_tree_grows_and_its_winner_is_compared_with_the_greedy_text(visit, decoded, alpha):
    from tfs.seq2seq import beam_decode

    text = "seven hundred thousand"
    shorter = visit(PAGE, pair="numbers", alpha=alpha, **{"text for numbers": text, "so far": "2"})
    at = visit(PAGE, pair="numbers", alpha=alpha, **{"text for numbers": text})

    def steps(page):
        traces = [t for t in drawn(page, "beam tree")["data"] if t.get("name")]
        return max(as_tensor(trace["y"]).max().item() for trace in traces)

    assert steps(shorter) == 2 < steps(at)
    import tfs

    bundle = tfs.load("numbers")
    tokenizer = bundle.tokenizer
    marks = {"start": tokenizer.mark_id("<s>"), "end": tokenizer.mark_id("</s>")}
    ids = torch.tensor([tokenizer.encode(text)])
    ((best, *_),) = beam_decode(bundle.model, ids, beams=3, length_penalty=float(alpha), **marks)
    *_, written, _ = decoded("numbers", text)
    assert f"The search ends with “{tokenizer.plain(best.tokens)}”" in said(at)
    logits = bundle.model(ids, torch.tensor([[marks["start"], *written[:-1]]]))[0].log_softmax(-1)
    greedy = logits[range(len(written)), written].sum()
    assert "log-probability of the whole text, in nats (natural logarithm), is" in said(at)
    assert f" {greedy:.3f}".replace("-", "−") in said(at)


def test_an_empty_text_is_called_nothing(visit) -> None:
    at = visit(PAGE, pair="grammar", beams="1", **{"text for grammar": "the"})
    assert "The search ends with nothing, an empty text, and so does the greedy" in said(at)
    assert "“”" not in said(at)


def test_what_is_not_written_yet_is_not_given_away(visit, decoded) -> None:
    tokenizer, _, written, _ = decoded("grammar", SENTENCE)
    at = visit(PAGE, pair="grammar", **{"so far": "2"})
    assert header(at, "missed")["columns"]["labels"] == tokenizer.str_tokens(written[:2])
    assert the_map(at, "missed").shape == (5, 2)
    assert "What is written so far has probability" in said(at)
    assert "The whole text has" not in said(at)
    assert "The search ends with" not in said(at) and tokenizer.plain(written) not in said(at)
