"""Both ways: masked words, tags and pairs, as models say them and as they would looking back."""

import pytest
import torch

from tests.pages.screen import as_tensor, drawn, header, messages, open_code, said, the_map

PAGE = "pages/read/both_ways.py"
SENTENCE = "lai miraim rudas lon tol ne visent pa"
RUN = "run-0123456789abcdef"


def looking_back(scores, hook):
    ahead = torch.ones(scores.shape[-2:]).triu(1).bool()
    return scores.masked_fill(ahead, float("-inf"))


def both_probabilities(model, ids, segments=None):
    """[side ...]: as trained, and with everything ahead closed in every layer."""
    hooks = [(f"blocks.{i}.attn.hook_attn_scores", looking_back) for i in range(model.cfg.n_layers)]
    with torch.no_grad():
        plain = model(ids, segments)
        with model.hooks(fwd_hooks=hooks):
            back = model(ids, segments)
    return torch.stack([plain[0], back[0]]).softmax(-1)


@pytest.fixture
def masked_words():
    import tfs

    return tfs.load("masked-words")


@pytest.mark.parametrize("places", [(1,), (2, 8)])
def test_masked_words_are_filled_in_beside_what_was_there(visit, masked_words, places) -> None:
    words = SENTENCE.split()
    at = visit(PAGE)
    at.button_group(key="masked").set_value([f"{p} {words[p - 1]}" for p in places]).run()
    assert not at.exception and not at.error
    tokenizer = masked_words.tokenizer
    shown = ["[MASK]" if i + 1 in places else word for i, word in enumerate(words)]
    ids = torch.tensor([tokenizer.encode(f"[CLS] {' '.join(shown)} [SEP]")])
    probs = both_probabilities(masked_words.model, ids)
    for place in places:
        figure = drawn(at, f"word {place}")
        names = figure["layout"]["yaxis"]["ticktext"]
        best = tokenizer.str_tokens([int(probs[0, place].argmax())])[0]
        assert names[0] == best and words[place - 1] in names
        for side, trace in enumerate(figure["data"]):
            ids_shown = [tokenizer.encode(name)[0] for name in names]
            expected = probs[side, place, ids_shown]
            torch.testing.assert_close(as_tensor(trace["x"]), expected, atol=1e-5, rtol=0)
        real = tokenizer.encode(words[place - 1])[0]
        assert f"gives it {probs[0, place, real]:.3f}" in said(at)
        assert f"only look back {probs[1, place, real]:.3f}" in said(at)


def test_an_article_is_settled_by_what_comes_after_it(visit, masked_words) -> None:
    """The default view shows what the page is about."""
    at = visit(PAGE)
    first, back = (as_tensor(trace["x"]) for trace in drawn(at, "word 1")["data"])
    assert first[0] > 0.9 and back[0] < 0.5
    assert "Position 1: lai" in said(at)
    assert "by 2 readings" in at.get("plotly_chart")[0].proto.alt


def test_the_mark_can_be_typed_and_then_nobody_knows_what_was_there(visit) -> None:
    at = visit(PAGE)
    at.text_input(key="text for masked-words").set_value("[MASK] tol lain miraim viset").run()
    assert not at.exception and drawn(at, "word 1")
    assert "Really" not in said(at)
    assert header(at, "both head")["columns"]["labels"][1] == "[MASK]"


def test_without_a_masked_word_the_page_says_what_to_do(visit) -> None:
    at = visit(PAGE)
    at.button_group(key="masked").set_value([]).run()
    assert not at.exception and len(messages(at)) == 1 and "choose one" in messages(at)[0]
    at.text_input(key="text for masked-words").set_value("lo tol lain miraim viset").run()
    assert not at.exception


def test_masks_of_another_text_are_forgotten(visit) -> None:
    at = visit(PAGE)
    at.button_group(key="masked").set_value(["8 pa"]).run()
    at.text_input(key="text for masked-words").set_value("lo tol lain miraim viset").run()
    assert not at.exception and drawn(at, "word 1") and not drawn(at, "word 8")


def test_tags_of_every_word(visit) -> None:
    import tfs
    from tfs.tasks import TagsTask

    text = "In Bali , the workers of Kasel Bank went on strike ."
    at = visit(PAGE, both="tags")
    at.text_input(key="text for tags").set_value(text).run()
    assert not at.exception and not at.error
    model = tfs.load("tags").model
    ids, first = TagsTask().read(text.split())
    probs = both_probabilities(model, torch.tensor([ids]))[:, first]
    (table,) = at.dataframe
    assert table.value["word"].tolist() == text.split()
    for side, way in enumerate(("both ways", "looking back only")):
        best = probs[side].max(-1)
        tags = [model.labels[i] for i in best.indices.tolist()]
        assert table.value[f"tag, {way}"].tolist() == tags
        shown = table.value[f"probability, {way}"].tolist()
        assert shown == pytest.approx(best.values.tolist(), abs=1e-5)
    one_way, other = (table.value[f"tag, {way}"] for way in ("both ways", "looking back only"))
    n = int((one_way != other).sum())
    assert f"Of 12 words, {n} {'gets' if n == 1 else 'get'} another tag" in said(at)
    assert ":green-background[Bali **LOC**" in said(at)
    assert ":violet-background[Kasel Bank **ORG**" in said(at)
    at.selectbox(key="word").set_value(1).run()
    for side, trace in enumerate(drawn(at, "tags")["data"]):
        torch.testing.assert_close(as_tensor(trace["x"]), probs[side, 1], atol=1e-5, rtol=0)


def test_a_full_stop_is_a_word_of_its_own_but_an_initial_keeps_its(visit) -> None:
    at = visit(PAGE, both="tags")
    at.text_input(key="text for tags").set_value("Tomir V. Vedan moved to Bali.").run()
    words = at.dataframe[0].value["word"].tolist()
    assert words == ["Tomir", "V.", "Vedan", "moved", "to", "Bali", "."]


@pytest.mark.parametrize("back", [False, True])
def test_every_head_of_the_text_on_screen(visit, masked_words, back) -> None:
    at = visit(PAGE, layer="1", head="2", **({"back": "true"} if back else {}))
    ids = torch.tensor([masked_words.tokenizer.encode(f"[CLS] [MASK] {SENTENCE[4:]} [SEP]")])
    hooks = [(f"blocks.{i}.attn.hook_attn_scores", looking_back) for i in range(2)] if back else []
    with masked_words.model.hooks(fwd_hooks=hooks):
        cache = masked_words.model.run_with_cache(ids, remove_batch_dim=True)[1]
    pattern = cache["pattern", 1][2]
    torch.testing.assert_close(the_map(at, "both head"), pattern, atol=1e-5, rtol=0)
    assert (pattern.triu(1).sum() == 0) == back
    assert header(at, "both mosaic")["chosen"] == 6


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("masked-words", "  ", "nothing to read"),
        ("masked-words", "der Hund", "der"),
        ("masked-words", "lo " * 13, "15 tokens long, but this model reads at most 14"),
        ("tags", "word " * 60, "reads at most 96"),
        ("tags", "", "nothing to read"),
    ],
)
def test_a_text_that_cannot_be_read_gets_one_sentence(visit, name, text, says) -> None:
    at = visit(PAGE, both=name)
    at.text_input(key=f"text for {name}").set_value(text).run()
    assert not at.exception and len(messages(at)) == 1
    assert says in messages(at)[0].replace("\\", "") and "\n" not in messages(at)[0]


@pytest.mark.parametrize("text", ["<b>x</b> **y** $z$", "🎭 שלום", "[MASK] [CLS] [SEP]"])
def test_whatever_is_typed_is_shown_as_it_is(visit, text) -> None:
    at = visit(PAGE, both="tags")
    at.text_input(key="text for tags").set_value(text).run()
    assert not at.exception and not at.error
    assert at.dataframe[0].value["word"].tolist() == text.split()


def test_a_run_that_judges_pairs_opens_by_its_link(visit, tmp_path) -> None:
    import tfs
    from tfs.model import Kind
    from tfs.tasks import QuestionPairsTask

    task = QuestionPairsTask()
    cfg = tfs.TransformerConfig(
        n_layers=2, d_model=16, n_ctx=task.n_ctx, d_head=8, d_vocab=task.d_vocab, seed=2
    )
    model = Kind(cfg, "pair-classifier", task.labels).make()
    tfs.save(tfs.Bundle(model, task.tokenizer, "# pairs\n"), tmp_path / RUN)
    at = visit(PAGE, both=RUN)
    assert not at.exception and not at.error and not at.warning
    one, other = (at.text_input(key=f"text for {RUN}{end}").value for end in ("", ", 2"))
    batch = task.batch([(one, other, True)])
    probs = both_probabilities(model.requires_grad_(False), batch.tokens, batch.segments)
    for side, trace in enumerate(drawn(at, "verdict")["data"]):
        torch.testing.assert_close(as_tensor(trace["x"]), probs[side], atol=1e-5, rtol=0)
    best = int(probs[0].argmax())
    assert f"{task.labels[best]}: {probs[0, best]:.3f}" in said(at)
    assert header(at, "both head")["columns"]["labels"].count("[SEP]") == 2


@pytest.mark.parametrize("name", ["run-0000000000000000", "mirror", "../../etc"])
def test_a_link_to_what_is_not_here_says_so(visit, name) -> None:
    at = visit(PAGE, both=name)
    assert not at.exception and not at.error
    at.run()
    assert len(at.warning) == 1 and "**masked-words**" in at.warning[0].value
    at.selectbox(key="both").set_value("tags").run()
    assert not at.warning and not at.exception


@pytest.mark.parametrize("name", ["masked-words", "tags"])
def test_every_box_of_code_can_be_opened(visit, name) -> None:
    at = open_code(visit(PAGE, both=name, back="true"))
    assert not at.exception and not at.error
    assert sum("hooks_to_look_back" in code.value for code in at.code) >= 3


def test_an_invented_language_is_called_one_and_an_unknown_word_gets_others(visit) -> None:
    from tfs.tasks.two_languages import velu_words

    at = visit(PAGE, both="masked-words")
    assert f"These words are Velu, and it knows {len(velu_words())} of them." in said(at)
    at = visit(PAGE, both="masked-words", **{"text for masked-words": "lo whale"})
    (sentence,) = (element.value.replace("\\", "") for element in at.error)
    assert sentence.startswith("masked-words does not know “whale”. Some of the words that it")
    assert "Tokenizer" not in sentence


def test_tags_have_a_key_and_strange_sentences_a_warning(visit) -> None:
    at = visit(PAGE, both="tags")
    assert "**PER** a person, **LOC** a place" in said(at) and "**B-**" in said(at)
    assert "patterns of sentences" in said(at) and not at.warning
    at = visit(PAGE, both="tags", **{"text for tags": "The cat sat"})
    (warning,) = (element.value for element in at.warning)
    assert "“cat”, “sat”" in warning and "guesses, however sure they look" in warning
