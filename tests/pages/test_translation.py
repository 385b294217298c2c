"""Two texts: what is written, what each token of it looks at, what a beam search weighed."""

import pytest
import torch

from tests.pages.screen import header, messages, the_map

PAGE = "pages/read/translation.py"
TEXTS = {
    "dates": ("the 7th of March, 1994", "1994-03-07"),
    "numbers": ("twelve thousand and five", "12005"),
    "grammar": ("the dogs see the cat", None),
}


@pytest.fixture
def decoded():
    """decoded(name, text) -> tokenizer, source, tokens written, cache; token by token, no cache."""

    def decode(name, text):
        import tfs
        from tfs.tasks.pairs import END, START

        bundle = tfs.load(name)
        start, end = (bundle.tokenizer.mark_id(mark) for mark in (START, END))
        source, written = torch.tensor([bundle.tokenizer.encode(text)]), [start]
        while written[-1] != end:
            logits = bundle.model(source, torch.tensor([written]))
            written.append(logits[0, -1].argmax().item())
        _, cache = bundle.model.run_with_cache(source, torch.tensor([written[:-1]]))
        return bundle.tokenizer, source[0].tolist(), written[1:], cache

    return decode


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
        "decodercross_attn": (cache["decoder.0.cross_attn.hook_pattern"][0, 2, :n], source),
        "encoderattn": (cache["encoder.0.attn.hook_pattern"][0, 2], source),
        "decoderattn": (cache["decoder.0.attn.hook_pattern"][0, 2, :n, :n], None),
    }
    for key, (pattern, keys) in parts.items():
        torch.testing.assert_close(the_map(at, key), pattern, atol=1e-5, rtol=0)
        if keys:
            assert len(header(at, key)["columns"]["labels"]) == len(keys)


def test_candidates_are_those_of_the_search(visit, decoded) -> None:
    at = visit(PAGE, pair="dates", beams="2", **{"so far": "1"})
    (table,) = at.dataframe
    tokenizer, source, _, _ = decoded("dates", TEXTS["dates"][0])
    import tfs

    model, start = tfs.load("dates").model, tokenizer.mark_id("<s>")
    logs = model(torch.tensor([source]), torch.tensor([[start]]))[0, -1].log_softmax(-1)
    best = logs.topk(4)
    assert table.value["nats"].tolist() == pytest.approx(best.values.tolist(), abs=1e-4)
    assert table.value["text so far"].tolist() == tokenizer.str_tokens(best.indices.tolist())
    assert table.value["fate"].tolist() == ["kept", "kept", "dropped", "dropped"]
    assert any("1994" in caption.value for caption in at.caption)


def test_marks_that_are_typed_are_read_as_marks(visit) -> None:
    at = visit(PAGE, pair="dates")
    at.text_input(key="text for dates").set_value("<s>").run()
    assert not at.exception and not messages(at)
    assert header(at, "decodercross_attn")["columns"]["labels"] == ["<s>"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("dates", "", "nothing to read"),
        ("dates", "the 7th of March, 1994, of March", "reads at most 28"),
        ("dates", "März 7", "ä"),
        ("grammar", "the dog eats", "eats"),
    ],
)
def test_a_text_that_cannot_be_read_gets_one_sentence(visit, name, text, says) -> None:
    at = visit(PAGE, pair=name)
    at.text_input(key=f"text for {name}").set_value(text).run()
    assert not at.exception and len(messages(at)) == 1
    assert says in messages(at)[0].replace("\\", "") and "\n" not in messages(at)[0]
