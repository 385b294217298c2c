"""Output: logits, cuts, draws and newest attention, all computed here once more."""

import json
import subprocess
import sys

import pytest

from tests.pages.sampling_by_hand import cut, first_draw, settings_of, tempered
from tests.pages.screen import (
    ROOT,
    as_tensor,
    bars,
    can_turn,
    drawn,
    figures,
    header,
    messages,
    open_code,
    out_of_reach,
    turn,
    written,
)

PAGE = "pages/read/output.py"
PANELS = ["logit", "scaled logit", "probability", "after top-k", "after top-p"]
SETTINGS = [
    {},
    {"temperature": "0.0"},
    {"temperature": "1.7", "top_k": "0", "top_p": "0.6", "seed": "5"},
    {"temperature": "0.5", "top_k": "3", "top_p": "1.0", "seed": "77"},
    {"temperature": "2.0", "top_k": "1"},
]
ODD = ["x", "🎭 naïve 漢字", "שלום עולם", "<b>b</b> **c** $d$ :red[e]", "a\nb\n\n c", " "]


def said(at) -> str:
    return "\n".join(element.value for element in at.main.markdown)


def quoted(token) -> str:
    from pages._ui.layout import quoted

    return quoted(token)


def metric(at, label) -> str:
    return next(m.value for m in at.metric if m.label == label)


@pytest.mark.parametrize("model", ["shakespeare", "mirror"])
@pytest.mark.parametrize("query", SETTINGS)
def test_rows_cuts_and_the_draw(visit, run, model, query) -> None:
    import torch

    from tfs.plots.tokens import visible

    at = visit(PAGE, model=model, **query)
    assert not at.exception and not at.error
    _, tokenizer, _, logits = run(model, at.session_state["prompt"])
    logits, chosen = logits[-1], settings_of(query)
    probs = tempered(logits, chosen["temperature"])
    after_top_k, shares = cut(probs, chosen["top_k"], chosen["top_p"])
    first = first_draw(shares, chosen["seed"])
    shown = logits.sort(descending=True).indices[:12].tolist()
    shown += [first] * (first not in shown)
    panels, head = bars(at, "rows"), header(at, "rows")
    expected = [logits, logits / (chosen["temperature"] or 1), probs, after_top_k, shares]
    assert list(panels) == PANELS
    for name, values in zip(PANELS, expected, strict=True):
        if name != "scaled logit" or chosen["temperature"]:
            assert torch.allclose(panels[name], values[shown], atol=1e-5), name
    for row, values in zip(head["rows"][3:], expected[3:], strict=True):
        gone = ((values == 0) & (probs > 0))[shown].tolist()
        assert row["words"] == ["cut" if is_gone else "" for is_gone in gone]
    ends = [(row["low"], row["high"]) for row in head["rows"]]
    assert ends[0] == ends[1] and ends[2:] == [(0, 1)] * 3, "logits share a scale"
    assert head["axis"]["labels"] == [
        visible(token, 24) or "∅" for token in tokenizer.str_tokens(shown)
    ]
    assert head["mark"] == shown.index(first) and head["marked"] == "drawn"
    assert f"is drawn, **{quoted(tokenizer.str_tokens([first])[0])}** with" in said(at)
    by_top_k = float(metric(at, "Cut by top-k"))
    assert by_top_k == pytest.approx(float(probs[after_top_k == 0].sum()), abs=1e-4)
    by_top_p = float(metric(at, "Then cut by top-p"))
    assert by_top_p == pytest.approx(float(after_top_k[shares == 0].sum()), abs=1e-4)
    assert metric(at, "Tokens left to draw from").startswith(f"{int((shares > 0).sum()):,} of")


@pytest.mark.parametrize(
    ("lane", "query"),
    [
        ("greedy", {"temperature": "0.0"}),
        ("temperature", {"top_k": "0", "top_p": "1.0"}),
        ("top-k", {"top_k": "4", "top_p": "1.0"}),
        ("top-p", {"top_k": "0", "top_p": "0.5"}),
        (None, {"top_k": "4", "top_p": "0.5"}),
    ],
)
@pytest.mark.parametrize("seed", ["0", "3", "6"])
def test_the_draw_and_the_race_throw_the_same_dice(visit, lane, query, seed) -> None:
    at = visit(PAGE, **({"model": "shakespeare", "temperature": "1.6", "seed": seed} | query))
    head = header(at, "rows")
    label = head["axis"]["labels"][head["mark"]]
    captions = "\n".join(caption.value for caption in at.caption)
    if lane is None:
        assert "both cuts" in captions
    else:
        assert f"**{lane}** has its cuts too" in captions
        assert written(at, lane)["labels"][0] == label


def test_the_rows_can_be_taken_along_as_a_figure(visit) -> None:
    import torch

    at = visit(PAGE, model="mirror", temperature="0.0", seed="5")
    head, shown = header(at, "rows"), torch.stack(list(bars(at, "rows").values()))
    open_code(at)
    at.toggle(key="rows shown").set_value(True).run()
    figure = drawn(at, "rows")
    assert [trace["name"] for trace in figure["data"]] == list(bars(at, "rows"))
    assert torch.equal(torch.stack([as_tensor(trace["x"]) for trace in figure["data"]]), shown)
    table = figure["layout"]["meta"]["table"]
    assert table["y_labels"][1] == head["axis"]["labels"]
    assert table["rows"][1].index("drawn") == head["mark"]


@pytest.mark.parametrize("model", ["shakespeare", "mirror", "induction"])
@pytest.mark.parametrize("mean", ["true", "false"])
def test_the_attention_of_the_newest_token(visit, run, model, mean) -> None:
    import torch

    import tfs

    prompt = "First Citizen:" if model == "shakespeare" else "41 7 93 28 60"
    query = {"new": "4", "layer": "0", "head": "1" if model != "induction" else "0"}
    at = visit(PAGE, model=model, prompt=prompt, seed="3", mean=mean, **query)
    model, tokenizer, ids, _ = run(model, prompt)
    text = tfs.generate(model, torch.tensor([ids]), 4, top_k=10, top_p=0.9, seed=3)
    _, cache = model.run_with_cache(text[:, :-1])
    pattern = cache["pattern", 0][0, :, -1]
    weights = pattern.mean(0) if mean == "true" else pattern[int(query["head"])]
    bars = figures(at)[-1]["data"][0]
    assert torch.allclose(as_tensor(bars["y"]), weights, atol=1e-5)
    most = int(weights.argmax())
    labels = tokenizer.str_tokens(text[0].tolist())
    assert f"Most at position {most}, {quoted(labels[most])}" in said(at)
    assert f"**{quoted(labels[-1])}** was drawn" in said(at)
    every = next(t.value for t in at.dataframe if "head" in t.value.columns)
    assert len(every) == model.cfg.n_layers * model.cfg.n_heads
    for layer in range(model.cfg.n_layers):
        for head in range(model.cfg.n_heads):
            row = every[every["head"] == f"L{layer}H{head}"].iloc[0]
            looked = cache["pattern", layer][0, head, -1]
            assert row["weight"] == pytest.approx(float(looked.max()), abs=1e-5)
            assert float(looked[row["position"]]) == pytest.approx(row["weight"], abs=1e-5)


def test_the_first_new_token_is_the_one_that_the_rows_draw(visit) -> None:
    at = visit(PAGE, model="shakespeare", new="1", temperature="1.5", seed="9")
    token = next(m.value for m in at.main.markdown if "is drawn, **" in m.value).split("**")[1]
    assert f"**{token}** was drawn with" in "\n".join(m.value for m in at.main.markdown)


def test_next_token_back_and_start_again(visit) -> None:
    at = visit(PAGE, model="shakespeare")
    assert "Nothing is written yet" in said(at) and not can_turn(at, "new", "back")
    for count in (1, 2, 3):
        turn(at, "new", "Next token")
        assert at.slider(key="new").value == count and not at.exception
    turn(at, "new", "back")
    assert at.slider(key="new").value == 2
    turn(at, "new", "again")
    assert "Nothing is written yet" in said(at)


def test_a_full_context_says_so_and_writes_one_token(visit) -> None:
    full = "41 7 93 28 60 15 82 3 3 82 15 60 28 93 7 41"
    at = visit(PAGE, model="mirror", new="1", prompt=full)
    assert not at.exception and not at.error
    assert len(messages(at)) == 1 and "room for 1 new" in messages(at)[0]
    assert at.slider(key="new").max == 1 and not can_turn(at, "new", "Next")
    assert len(out_of_reach(at)["greedy"]) == 1
    at.selectbox(key="token").set_value(7).run()
    assert "room for 9 new" in messages(at)[0] and at.slider(key="new").max == 9


def test_a_locked_token_moves_the_start(visit, run) -> None:
    import torch

    at = visit(PAGE, model="mirror")
    at.selectbox(key="token").set_value(8).run()
    _, tokenizer, ids, logits = run("mirror", at.session_state["prompt"])
    best = logits[8].argmax().item()
    assert torch.allclose(bars(at, "rows")["logit"][0], logits[8].max(), atol=1e-5)
    greedy = written(at, "greedy")["labels"]
    assert greedy[:7] == [str(i) for i in ids[6::-1]], "the model mirrors what it has read"
    assert greedy[0] == tokenizer.str_tokens([best])[0]


def test_choices_survive_another_prompt_and_another_model(visit) -> None:
    at = visit(PAGE, model="shakespeare", new="12", top_k="4", temperature="0.3", seed="8")
    assert at.slider(key="new").value == 12
    at.selectbox(key="model").set_value("mirror").run()
    assert not at.exception and not at.error
    assert at.slider(key="new").value == 5
    assert at.slider(key="temperature").value == 0.3 and at.slider(key="top_k").value == 4
    assert at.number_input(key="seed").value == 8
    at.text_area(key="prompt").set_value("4").run()
    assert not at.exception and not at.error and at.slider(key="new").max == 12


@pytest.mark.parametrize("prompt", ODD[:-1])
@pytest.mark.parametrize("query", [{}, {"temperature": "2.0", "top_k": "0", "top_p": "1.0"}])
def test_any_prompt_can_be_written_on(visit, prompt, query) -> None:
    at = visit(PAGE, model="shakespeare", prompt=prompt, new="5", **query)
    assert not at.exception and not at.error and len(figures(at)) == 2
    for markup in ("<b>", "**c**", "$d$", ":red["):
        assert all(markup not in m.value for m in [*at.main.markdown, *at.main.caption])
    assert all(len(json.dumps(figure)) < 300_000 for figure in figures(at))


def test_the_whole_context_can_be_read(visit) -> None:
    at = visit(PAGE, model="shakespeare", prompt="," * 128, new="1")
    assert not at.exception and not at.error
    assert "room for 1 new" in messages(at)[0]


@pytest.mark.parametrize(
    "query", [{"temperature": "9"}, {"top_k": "-3"}, {"top_p": "0"}, {"seed": "x"}, {"new": "99"}]
)
def test_nonsense_in_the_url_becomes_the_default(visit, query) -> None:
    at = visit(PAGE, model="mirror", **query)
    assert not at.exception and not at.error
    assert at.slider(key="temperature").value == 1.0 and at.slider(key="top_k").value == 10
    assert at.slider(key="top_p").value == 0.9 and at.number_input(key="seed").value == 0
    assert at.slider(key="new").value == 0


@pytest.mark.parametrize("model", ["shakespeare", "mirror"])
def test_the_question_is_graded_by_the_run(visit, run, model) -> None:
    at = visit(PAGE, model=model, ask="true")
    _, tokenizer, _, logits = run(model, at.session_state["prompt"])
    best = int(logits[-1].argmax())
    answer = f"{best}: {tokenizer.str_tokens([best])[0]!r}"
    question = next(g for g in at.button_group if g.key == "predict next")
    options = [option.replace("\\", "") for option in question.options]
    few = logits[-1].topk(4).indices.tolist()
    assert sorted(int(option.split(":")[0]) for option in options) == sorted(few)
    assert not figures(at), "the answer is not on the page yet"
    at.session_state["predict next"] = answer.encode().decode()
    at.run()
    assert "Right" in at.success[0].value
    assert f"{logits[-1].softmax(-1).max():.3f}" in at.success[0].value
    assert figures(at)
    wrong = next(option for option in options if not option.startswith(f"{best}:"))
    at.session_state["predict next"] = wrong
    at.run()
    assert "Not this time" in at.info[0].value


RUN_ALL = """
import json, sys
results = []
for program in json.load(sys.stdin):
    names = {}
    exec(program, names)
    results.append(names["result"].tolist())
print(json.dumps(results))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        {"model": "mirror", "temperature": "0.7", "top_k": "0", "new": "3", "prompt": "4 5 6"},
        {"model": "shakespeare", "top_p": "1.0", "seed": "4", "new": "2", "mean": "false"},
    ],
)
def test_pasted_programs_give_the_numbers_of_the_page(visit, query) -> None:
    import torch

    at = visit(PAGE, **query)
    programs = [code.value for code in open_code(at).main.code if "result = " in code.value]
    run = [sys.executable, "-c", RUN_ALL]
    done = subprocess.run(
        run, input=json.dumps(programs), capture_output=True, text=True, cwd=ROOT, check=True
    )
    _, panels, lanes, lost, weights = (torch.tensor(result) for result in json.loads(done.stdout))
    assert torch.allclose(panels, torch.stack(list(bars(at, "rows").values())), atol=1e-5)
    names = ("greedy", "temperature", "top-k", "top-p", "beam")
    strips = torch.stack([written(at, name)["probs"] for name in names])
    assert torch.allclose(lanes, strips, atol=1e-5)
    assert torch.allclose(lost, torch.stack(list(out_of_reach(at).values())), atol=1e-5)
    assert torch.allclose(weights, as_tensor(figures(at)[-1]["data"][0]["y"]), atol=1e-5)
