"""Side by side: every number of both models computed here anew."""

import json

import pytest
import torch

from tests.pages.compare_page import BOTH, MIRRORED, PAGE, VIEWS, levels
from tests.pages.screen import as_tensor, drawn, header, maps, said
from tests.pages.test_programs import assert_all_agree, collect


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
    at = visit(PAGE, view="One head", **BOTH, layer="3")
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


def test_the_losses_have_no_place_to_choose(visit) -> None:
    labels = {}
    for view in ("Loss", "All heads"):
        at = visit(PAGE, view=view, **BOTH)
        labels[view] = {each.label for each in at.selectbox}
    assert {"Query token", "Key token"} <= labels["All heads"] - labels["Loss"]
