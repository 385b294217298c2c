"""Side by side: two models that do not read the same text, or of which one cannot be opened."""

import json

import pytest
import torch

from tests.pages.compare_page import BOTH, PAGE, shown_step
from tests.pages.screen import as_tensor, drawn, messages


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"model": "shakespeare", "other": "mirror"}, "cannot read it"),
        ({"model": "induction", "other": "mirror"}, "cannot read it"),
        ({"model": "induction", "other": "shakespeare"}, "other tokens of it"),
        ({"model": "induction", "other": "mirror", "prompt": "5 " * 20}, "reads at most 16"),
    ],
)
def test_where_b_does_not_read_the_prompt_one_sentence_says_so(visit, query, says) -> None:
    at = visit(PAGE, view="Output", **query)
    assert not at.exception
    (message,) = messages(at)
    assert says in message and "\n" not in message
    assert at.button_group(key="view").options == ["Loss", "Head scores"]
    assert drawn(at, "both losses") and at.dataframe
    with pytest.raises(KeyError):
        at.button_group(key="layer")


def test_heads_are_then_scored_on_an_example_of_each_ones_own(visit, forward) -> None:
    from pages._ui.examples import EXAMPLES
    from tfs.interp import previous_token_score

    at = visit(PAGE, model="induction", other="shakespeare", view="Head scores", prompt="7 8 9")
    for side, name, example in (("a", "induction", "induction"), ("b", "shakespeare", "text")):
        model, _, cache = forward(name, EXAMPLES[example])
        ids = torch.zeros(1, len(cache["embed"]), dtype=torch.long)
        patterns = [cache["pattern", n][None] for n in range(model.cfg.n_layers)]
        expected = torch.cat([previous_token_score(pattern, ids) for pattern in patterns])
        shown = as_tensor(drawn(at, f"previous token {side}")["data"][0]["z"])
        torch.testing.assert_close(shown.view_as(expected), expected, atol=1e-5, rtol=0)


def test_a_b_that_no_example_of_ours_suits_is_scored_on_its_first_tokens(visit, tmp_path) -> None:
    import tfs
    from tfs.tokenizers import CharTokenizer

    name, tokenizer = "run-0123456789abcdef", CharTokenizer.train("xyxy!")
    cfg = tfs.TransformerConfig(
        n_layers=1, d_model=8, n_ctx=4, n_heads=1, d_head=8, d_vocab=tokenizer.d_vocab, seed=0
    )
    tfs.save(tfs.Bundle(tfs.DecoderOnly(cfg), tokenizer, "# Tiny\n"), tmp_path / name)
    at = visit(PAGE, model="mirror", other=name, view="Head scores")
    assert not at.exception and "cannot read it" in messages(at)[0] and "Tiny" in shown_step(at)
    _, cache = tfs.load(tmp_path / name).model.run_with_cache(torch.tensor([[0, 1, 2]]))
    pattern = cache["pattern", 0][0, 0]
    shown = as_tensor(drawn(at, "previous token b")["data"][0]["z"]).item()
    assert shown == pytest.approx((pattern[1, 0] + pattern[2, 1]).item() / 2, abs=1e-5)


def test_equal_tokens_of_unequal_vocabularies(visit) -> None:
    at = visit(PAGE, model="induction", other="mirror", prompt="5 6 7 8", view="One head")
    assert not at.exception and "vocabularies differ" in messages(at)[0]
    assert at.button_group(key="view").value == "One head"
    assert not {"Output", "Logit lens"} & {*at.button_group(key="view").options}


def test_what_differs_is_in_their_files(visit) -> None:
    import tfs

    (table,) = (frame.value for frame in visit(PAGE, **BOTH).dataframe)
    one, other = (tfs.load(BOTH[name]).model.cfg.to_dict() for name in ("model", "other"))
    rows = table.set_index("").to_dict("index")
    differ = {name for name in one if one[name] != other[name]}
    assert {name.partition(": ")[2] for name in rows if name.startswith("model: ")} == differ
    for name in differ:
        assert [*rows[f"model: {name}"].values()] == [str(one[name]), str(other[name])]
    train = json.loads((tfs.load("mirror").directory / "train.json").read_text())
    assert rows["training: steps"]["A: mirror"] == str(train["steps"])


def test_a_damaged_or_missing_b_is_one_sentence(visit, tmp_path) -> None:
    name = "run-0123456789abcdef"
    at = visit(PAGE, model="mirror", other=name)
    assert not at.exception and name.replace("-", "\\-") in at.warning[0].value
    (tmp_path / name).mkdir()
    (tmp_path / name / "model.safetensors").write_bytes(b"noise")
    at = visit(PAGE, model="mirror", other=name)
    assert not at.exception
    assert len(at.error) == 1 and "config\\.json is missing" in at.error[0].value


def test_two_that_read_the_same_are_a_press_away(visit) -> None:
    at = visit(PAGE, model="shakespeare", other="induction")
    (offer,) = [each for each in at.button if each.label.startswith("Put ")]
    offer.click().run()
    assert not at.exception and not messages(at)
    assert "All heads" in at.button_group(key="view").options
    label = f"Put {at.selectbox(key='model').value} beside {at.selectbox(key='other').value}, "
    assert offer.label.startswith(label)
