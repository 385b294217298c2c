"""The page of attention on a model that reads one text and writes another."""

import math

import pytest
import torch

from tests.pages.compare_page import levels
from tests.pages.screen import bars, close, header, maps, said, the_map

PAGE = "pages/read/attention.py"
OF_TWO = {"encoder": "encoder.0.attn", "cross": "decoder.0.cross_attn", "written": "decoder.0.attn"}


@pytest.fixture
def two_texts():
    """two_texts(name) -> the activations of a model of two texts on its own example."""
    from pages._ui.pair_picker import EXAMPLES

    def run(name):
        import tfs
        from tfs.seq2seq import greedy_decode

        bundle = tfs.load(name)
        start, end = (bundle.tokenizer.mark_id(mark) for mark in ("<s>", "</s>"))
        source = torch.tensor([bundle.tokenizer.encode(EXAMPLES[name])])
        written = greedy_decode(bundle.model, source, start=start, end=end)
        read_back = torch.cat([torch.tensor([[start]]), written[:, :-1]], dim=1)
        return bundle.model, bundle.model.run_with_cache(source, read_back)[1]

    return run


@pytest.mark.parametrize("of", OF_TWO)
def test_the_attentions_of_a_model_of_two_texts(visit, two_texts, of) -> None:
    at = visit(PAGE, of=of, pair="grammar", head="3")
    at.selectbox(key="token").set_value(4).run()
    at.selectbox(key="key token").set_value(2).run()
    assert not at.exception and not at.error
    model, cache = two_texts("grammar")
    hook = OF_TWO[of]
    pattern = cache[f"{hook}.hook_pattern"][0]
    close(the_map(at, of if of != "written" else "decoder"), pattern[3])
    mosaic = f"{of if of != 'written' else 'decoder'} mosaic"
    close(levels(at, mosaic).float(), pattern, atol=0.5 / 255 + 1e-6)
    assert header(at, mosaic)["lock"] == {"head": 3, "query": 4, "key": 2}
    scores, _, weights = bars(at, "scores").values()
    close(weights, pattern[3, 4])
    assert f"divided by {math.sqrt(model.cfg.d_head):.3f}" in said(at)
    q, k = (cache[f"{hook}.hook_{name}"][0, :, 3] for name in "qk")
    by_hand = q[4] @ k.T / math.sqrt(model.cfg.d_head)
    if of == "written":
        by_hand[5:] = -torch.inf
    close(scores, by_hand, atol=1e-3)
    close(the_map(at, "cell strips")[0], q[4] * k[2] / math.sqrt(model.cfg.d_head), atol=1e-3)
    assert f"its score {by_hand[2]:.3f} is the sum" in said(at)


def test_a_decoder_is_the_attention_that_is_shown_at_first(visit) -> None:
    at = visit(PAGE, model="mirror")
    assert at.button_group(key="of").value == "decoder" and maps(at, "large")
    at.button_group(key="of").set_value("cross").run()
    assert not at.exception and not maps(at, "large") and maps(at, "cross")
    at.button_group(key="of").set_value("decoder").run()
    assert not at.exception and maps(at, "large")


def test_the_attention_of_two_texts_needs_no_prompt(visit) -> None:
    assert maps(visit(PAGE, of="cross", prompt=""), "cross")


def test_heads_of_two_texts_that_share_keys_say_so(visit, tmp_path) -> None:
    import tfs

    bundle = tfs.load("dates")
    fields = bundle.model.cfg.to_dict() | {"n_key_value_heads": 2}
    model = tfs.EncoderDecoder(tfs.TransformerConfig.from_dict(fields))
    run = "run-0123456789abcdef"
    tfs.save(tfs.Bundle(model, bundle.tokenizer, "# grouped"), tmp_path / run)
    at = visit(PAGE, of="cross", head="3", pair=run, **{f"text for {run}": "May 5, 2011"})
    at.selectbox(key="key token").set_value(2).run()
    assert not at.exception and not at.error
    assert header(at, "cross mosaic")["names"][2:] == ["L0H2 · K1", "L0H3 · K1"]
    assert "Grouped-query attention" in said(at)
    products, (scores, *_) = the_map(at, "cell strips")[0], bars(at, "scores").values()
    close(products.sum(), scores[2], atol=1e-3)


def test_the_kinds_of_attention_have_names_that_tell_and_old_links_still_work(visit) -> None:
    at = visit(PAGE, of="written")
    assert at.session_state["of"] == "written" and maps(at, "decoder")
    names = list(at.button_group(key="of").options)
    assert names[0] == "decoder-only" and names[3] == "decoder of two texts"
    assert not at.warning and not at.exception


@pytest.mark.parametrize("of", ["cross", "written"])
def test_a_query_is_named_by_what_it_reads_and_by_what_it_writes(visit, two_texts, of) -> None:
    at = visit(PAGE, of=of, pair="dates")
    at.selectbox(key="token").set_value(5).run()
    at.selectbox(key="key token").set_value(5).run()
    text = said(at).replace("\\", "")
    assert "Query 5, reading '-' and writing '0', scores each key" in text
    assert "Query 5, reading '-' and writing '0', with the locked key, 5 " in text


@pytest.mark.parametrize("page", [PAGE, "pages/read/translation.py"])
def test_a_place_sees_itself_in_the_last_column_that_is_open_to_its_row(visit, page) -> None:
    at = visit(page, of="written", pair="dates")
    assert "every place sees itself, as the last column that is open to its row" in said(at)
    axes, weights = header(at, "decoder"), the_map(at, "decoder")
    written, read = axes["rows"]["labels"], axes["columns"]["labels"]
    assert read == ["<s>", *written[:-1]] and "named by the token that is being written" in said(at)
    assert not weights.triu(1).any() and (weights.diagonal() > 0).all()
