"""Side by side: every number of both models computed here anew, linked steps, and links."""

import json

import numpy as np
import pytest
import torch

from tests.pages.screen import as_tensor, drawn, header, maps, messages, open_code, said
from tests.pages.test_programs import assert_all_agree, collect

PAGE = "pages/train/compare.py"
MIRRORED = "41 7 93 28 60 15 82 3 3 82 15 60"
BOTH = {"model": "mirror", "other": "mirror-no-positions", "prompt": MIRRORED}
TWICE = {"model": "mirror", "other": "mirror", "snapshot": "48", "linked": "false"}
VIEWS = "Loss,All heads,One head,Head scores,Logit lens,Output,Embeddings,Norms".split(",")


@pytest.fixture
def forward():
    """forward(name, prompt, step=None) -> the model, logits [pos d_vocab], and its activations."""
    import tfs

    def run(name, prompt=MIRRORED, step=None):
        bundle = tfs.load(name)
        model = bundle.model if step is None else bundle.at_step(step)
        ids = torch.tensor([bundle.tokenizer.encode(prompt)])
        with torch.no_grad():
            logits, cache = model.run_with_cache(ids, remove_batch_dim=True)
        return model, logits[0], cache

    return run


def levels(at, key):
    """The patterns of a mosaic as they travel, in 256 levels, [head query key]."""
    head = header(at, key)
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}"))
    start = 4 + int.from_bytes(proto.bytes[:4], "little")
    shape = len(head["names"]), head["queries"], head["keys"]
    cells = np.frombuffer(proto.bytes[start:], dtype=np.uint8)[: np.prod(shape)]
    return torch.tensor(cells.reshape(shape) / 255.0)


def shown_step(at) -> str:
    """What the page says of where B stands."""
    (told,) = (c.value for c in at.caption if c.value.startswith("B is "))
    return told


def test_two_mosaics_show_each_models_own_patterns(visit, forward) -> None:
    at = visit(PAGE, view="All heads", **BOTH)
    assert not at.exception
    for side, name in (("A", "mirror"), ("B", "mirror-no-positions")):
        _, _, cache = forward(name)
        patterns = cache.stack_activation("pattern").flatten(0, 1)
        drawn_here = levels(at, f"mosaic {side}")
        torch.testing.assert_close(drawn_here.float(), patterns, atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_cell_that_is_locked_in_one_mosaic_is_locked_in_both(visit) -> None:
    at = visit(PAGE, view="All heads", **BOTH)
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith("-mosaic B"))
    for head, layer in ((2, 0), (9, 0)):  # 9 is L2H1 of B, which A has not: layer and head stay
        states = at._tree.get_widget_states()
        cell = {"cell": {"head": head, "query": 7, "key": 3}}
        states.widgets.add(id=proto.id, json_value=json.dumps(cell))
        at = at._run(states)
        assert at.session_state["layer"] == layer and at.session_state["head"] == 2
    for side in "AB":
        assert header(at, f"mosaic {side}")["lock"] == {"head": 2, "query": 7, "key": 3}


@pytest.mark.parametrize("head", [0, 3])
def test_one_head_of_both_and_its_difference(visit, forward, head) -> None:
    at = visit(PAGE, view="One head", head=str(head), **BOTH)
    a, b = (forward(name)[2]["pattern", 0][head] for name in ("mirror", "mirror-no-positions"))
    shown = maps(at, "one head of both")
    assert list(shown) == [f"A: L0H{head}", f"B: L0H{head}", "B − A"]
    for cells, expected in zip(shown.values(), (a, b, b - a), strict=True):
        torch.testing.assert_close(cells, expected, atol=1e-5, rtol=0)
    scale = header(at, "one head of both")["panels"][2]
    assert scale["low"] == -scale["high"] < 0


def test_layers_and_heads_are_those_that_both_have(visit) -> None:
    at = visit(PAGE, **BOTH, layer="3")
    assert at.button_group(key="layer").options == ["0"]
    assert len(at.button_group(key="head").options) == 4


@pytest.mark.parametrize("token", [None, 9])
def test_output_of_both_and_their_divergence(visit, forward, token) -> None:
    locked = {} if token is None else {"token": f"{token}: '82'"}
    at = visit(PAGE, view="Output", **BOTH, **locked)
    place = 11 if token is None else token
    p, q = (forward(n)[1].double().softmax(-1) for n in ("mirror", "mirror-no-positions"))
    there, back = ((x * (x / y).log()).sum(-1)[place].item() for x, y in ((p, q), (q, p)))
    assert f"KL(A ‖ B) = {there:.4f}" in said(at) and f"KL(B ‖ A) = {back:.4f}" in said(at)
    assert there > 0.01
    figure = drawn(at, "next of both")
    tokens = [int(i) for i in figure["layout"]["yaxis"]["ticktext"]]  # the labels are the ids
    wanted = {*p[place].topk(5).indices.tolist(), *q[place].topk(5).indices.tolist()}
    assert len(tokens) == len(set(tokens)) and set(tokens) == wanted
    for trace, side in zip(figure["data"], (p, q), strict=True):
        expected = side[place, tokens].float()
        torch.testing.assert_close(as_tensor(trace["x"]), expected, atol=1e-5, rtol=0)


def test_lens_lines_follow_the_final_answer_of_a(visit, forward) -> None:
    at = visit(PAGE, view="Logit lens", **BOTH)
    lines, answer = drawn(at, "answer by depth")["data"], None
    for trace, name in zip(lines, ("mirror", "mirror-no-positions"), strict=True):
        model, logits, cache = forward(name)
        n = model.cfg.n_layers
        stream = [cache["resid_pre", i][-1] for i in range(n)] + [cache["resid_post", n - 1][-1]]
        answer = int(logits[-1].argmax()) if answer is None else answer
        with torch.no_grad():
            probs = [model.unembed(model.ln_final(r[None, None]))[0, 0].softmax(-1) for r in stream]
        expected = torch.stack(probs)[:, answer]
        torch.testing.assert_close(as_tensor(trace["y"]), expected, atol=1e-5, rtol=0)
    for side, name in (("a", "mirror"), ("b", "mirror-no-positions")):
        surest = as_tensor(drawn(at, f"lens {side}")["data"][0]["z"])[-1]
        expected = forward(name)[1].softmax(-1).max(-1).values
        torch.testing.assert_close(surest, expected, atol=1e-5, rtol=0)


def test_norms_of_both(visit, forward) -> None:
    at = visit(PAGE, view="Norms", **BOTH)
    expected = {}
    for side, name in (("A", "mirror"), ("B", "mirror-no-positions")):
        model, _, cache = forward(name)
        for what, hook in (("attention", "attn_out"), ("MLP", "mlp_out")):
            layers = range(model.cfg.n_layers)
            expected[f"{side}: {what}"] = torch.stack([cache[hook, n][-1].norm() for n in layers])
    shown = {trace["name"]: as_tensor(trace["y"]) for trace in drawn(at, "norms of both")["data"]}
    assert list(shown) == list(expected)
    for name, lengths in expected.items():
        torch.testing.assert_close(shown[name], lengths, atol=1e-4, rtol=0)


def test_both_losses_are_those_of_the_logs(visit) -> None:
    import tfs
    from tfs.train.run import read_metrics

    for trace, name in zip(
        drawn(visit(PAGE, **BOTH), "both losses")["data"],
        ("mirror", "mirror-no-positions"),
        strict=True,
    ):
        metrics = read_metrics(tfs.load(name).directory)
        logged = {line["step"] - 1: line["loss"] for line in metrics}
        logged[metrics[-1]["step"]] = metrics[-1]["held_out"]["loss"]
        steps, losses = as_tensor(trace["x"]).int().tolist(), as_tensor(trace["y"]).tolist()
        assert len(steps) > 90
        assert losses == pytest.approx([logged[step] for step in steps], abs=1e-5)


def test_where_one_training_is_much_longer_powers_are_recommended(visit) -> None:
    assert "150 times as long" in said(visit(PAGE, **BOTH))
    assert "times as long" not in said(visit(PAGE, powers="true", **BOTH))
    assert "times as long" not in said(visit(PAGE, model="induction", other="mirror"))


def test_the_same_model_twice_differs_by_nothing(visit) -> None:
    same = {"model": "mirror", "other": "mirror", "prompt": MIRRORED}
    at = visit(PAGE, view="One head", snapshot="64", **same)
    a, b, difference = maps(at, "one head of both").values()
    assert torch.equal(a, b) and (difference == 0).all()
    at = visit(PAGE, view="Output", **same)
    assert "KL(A ‖ B) = 0.0000" in said(at) and "KL(B ‖ A) = 0.0000" in said(at)
    assert not at.dataframe and "Choose one" in said(at)
    for option in at.button_group(key="predict side").options[:1]:
        at.button_group(key="predict side").set_value(option.replace("\\", "")).run()
        assert at.success, "both are right where both are the same"


@pytest.mark.parametrize(
    ("model", "other", "step", "stands"),
    [
        ("induction", "mirror", "256", 32),  # 12.8% of 300 updates is 38.4
        ("induction", "mirror", "1024", 128),  # 153.6, between 128 and 192
        ("induction", "mirror", "0", 0),
        ("induction", "mirror", "2000", None),
        ("mirror", "mirror", "48", 48),
        ("mirror", "induction", "256", 1536),  # 85% of 2,000 is 1,706.7
    ],
)
def test_b_stands_at_the_same_share_of_its_training(visit, model, other, step, stands) -> None:
    at = visit(PAGE, model=model, other=other, snapshot=step)
    place = "at the end" if stands is None else f"after {stands:,} update"
    assert place in shown_step(at)


def test_the_slider_moves_both(visit, forward) -> None:
    at = visit(PAGE, model="mirror", other="mirror", prompt=MIRRORED, view="Output", snapshot="32")
    slider = at.select_slider(key="snapshot")
    for step in (128, 0, 300):
        at = slider.set_value(step).run()
        place = "at the end" if step == 300 else f"after {step} update"
        assert place in shown_step(at)
        probs = forward("mirror", step=step)[1][-1].softmax(-1)
        figure = drawn(at, "next of both")
        ids = [int(i) for i in figure["layout"]["yaxis"]["ticktext"]]
        for trace in figure["data"]:
            torch.testing.assert_close(as_tensor(trace["x"]), probs[ids], atol=1e-5, rtol=0)
        slider = at.select_slider(key="snapshot")


def test_a_step_of_its_own(visit, forward) -> None:
    at = visit(PAGE, view="One head", prompt=MIRRORED, **TWICE)
    at = at.select_slider(key="other step").set_value(192).run()
    a, b = (forward("mirror", step=step)[2]["pattern", 0][0] for step in (48, 192))
    for cells, expected in zip(maps(at, "one head of both").values(), (a, b, b - a), strict=True):
        torch.testing.assert_close(cells, expected, atol=1e-5, rtol=0)
    programs = [code.value for code in open_code(at).code if "import tfs" in code.value]
    assert programs and all(".at_step(48)" in p and ".at_step(192)" in p for p in programs)


def test_a_link_restores_b_view_and_step(visit) -> None:
    link = {"other step": "192", "view": "Norms", "layer": "0", "token": "3: '28'"}
    at = visit(PAGE, prompt=MIRRORED, **TWICE, **link)
    assert at.selectbox(key="other").value == "mirror"
    assert at.button_group(key="view").value == "Norms"
    assert at.select_slider(key="other step").value == 192 and not at.toggle(key="linked").value
    assert "after 48 updates" in said(at) and "after 192 updates" in shown_step(at)
    assert at.session_state["token"] == 3


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


def test_the_guess_is_graded_by_the_live_run(visit, forward) -> None:
    at = visit(PAGE, view="Norms", ask="true", **BOTH)
    assert drawn(at, "norms of both") is None
    ids, totals = torch.tensor([int(word) for word in MIRRORED.split()]), {}
    for side, name in (("A", "mirror"), ("B", "mirror-no-positions")):
        log_probs = forward(name)[1].log_softmax(-1)
        totals[f"{side}: {name}"] = log_probs[:-1].gather(-1, ids[1:, None]).sum().item()
    for option, total in totals.items():
        at = at.button_group(key="predict side").set_value(option).run()
        assert bool(at.success) == (total == max(totals.values()))
        assert f"−{-total:.3f}" in (at.success or at.info)[0].value
    assert drawn(at, "norms of both")


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


def test_b_follows_a_until_the_reader_chooses_it(visit) -> None:
    at = visit(PAGE, model="mirror")
    assert at.selectbox(key="other").value == "mirror-no-positions"
    at = at.selectbox(key="model").set_value("mirror-no-positions").run()
    assert at.selectbox(key="other").value == "mirror"
    at = at.selectbox(key="other").set_value("induction").run()
    at = at.selectbox(key="model").set_value("mirror").run()
    assert at.selectbox(key="other").value == "induction" and not at.exception


@pytest.mark.slow
def test_the_programs_of_all_views_open_both_and_give_their_numbers(visit, tmp_path) -> None:
    pictures, bare = {}, set()
    steps = {"model": "mirror", "snapshot": "128", "other": "mirror-no-positions"}
    for view in VIEWS:
        at = visit(PAGE, view=view, prompt=MIRRORED, **steps)
        assert not at.exception and at.button_group(key="view").value == view
        collect(at, pictures, bare)
    at = visit(PAGE, model="induction", other="shakespeare", view="Head scores")
    collect(at, pictures, bare)
    assert not bare and len(pictures) >= 15
    assert all(program.count("tfs.load(") == 2 for program in pictures)
    assert_all_agree(pictures, tmp_path)
