"""The page of the block: every number drawn equals one computed here, from weights and hooks."""

import json

import pytest
import torch

from tests.pages.screen import as_tensor, bars, header, maps, messages, the_map, turn

PAGE = "pages/read/block.py"
WITH_MLP = [("shakespeare", 2), ("mirror", 0)]
EVERY_MODEL = [*WITH_MLP, ("induction", 1)]
STAGES = ["pre", "ln1", "attn_out", "mid", "ln2", "neurons", "mlp_out", "post"]
TOKEN = 5
TITLES = {
    "attn_out": "What attention wrote",
    "mlp_out": "What the MLP wrote",
    "resid_post": "The stream after the layer",
}


@pytest.fixture
def run(visit):
    """run(model, layer, **query) -> the page with TOKEN locked, the model, and its activations."""
    import tfs

    def open_page(name, layer, token=TOKEN, **query):
        at = visit(PAGE, model=name, layer=str(layer), **query)
        if token is not None:
            at.selectbox(key="token").set_value(token).run()
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        ids = torch.tensor([bundle.tokenizer.encode(at.session_state["prompt"])])
        with torch.no_grad():
            _, cache = bundle.model.run_with_cache(ids)
        return at, bundle, cache

    return open_page


def drawn(at, key: str) -> list[dict]:
    """The traces of the figure with this key."""
    charts = [
        chart for chart in at.get("plotly_chart") if chart.proto.id.endswith(f"-{key} figure")
    ]
    assert len(charts) == 1, key
    return json.loads(charts[0].proto.spec)["data"]


def hook(cache, layer: int, name: str):
    """An activation of one block, [pos ...]."""
    return cache[f"blocks.{layer}.{name}"][0]


def by_hand(norm, x):
    """Mean, scale, the vector between, and what the norm gives: each in words of the paper."""
    mean = x.sum(-1) / x.shape[-1]
    centred = x - mean[:, None]
    scale = ((centred**2).sum(-1) / x.shape[-1] + norm.eps) ** 0.5
    normalized = centred / scale[:, None]
    return mean, scale, normalized, normalized * norm.w.detach() + norm.b.detach()


def stages_by_hand(bundle, cache, layer: int) -> dict:
    """The vectors of all positions at every stage of a block."""
    block, cfg = bundle.model.blocks[layer], bundle.model.cfg
    names = ["resid_pre", "attn_out"] + ["resid_mid", "mlp_out"] * (not cfg.attn_only)
    stages = {name.removeprefix("resid_"): hook(cache, layer, f"hook_{name}") for name in names}
    stages["post"] = hook(cache, layer, "hook_resid_post")
    stages["ln1"] = by_hand(block.ln1, stages["pre"])[3]
    if not cfg.attn_only:
        stages["ln2"] = by_hand(block.ln2, stages["mid"])[3]
        hidden = stages["ln2"] @ block.mlp.W_in.detach() + block.mlp.b_in.detach()
        stages["neurons"] = torch.nn.functional.gelu(hidden, approximate="tanh")
    return stages


def close(cells, expected, atol=1e-4) -> None:
    torch.testing.assert_close(as_tensor(cells), expected.detach(), atol=atol, rtol=1e-4)


@pytest.mark.parametrize(("name", "layer"), EVERY_MODEL)
def test_the_road_has_the_length_of_every_stage(run, name, layer) -> None:
    at, bundle, cache = run(name, layer)
    stages = stages_by_hand(bundle, cache, layer)
    order = [stage for stage in STAGES if stage in stages]
    expected = torch.stack([stages[stage][TOKEN].square().sum().sqrt() for stage in order])
    close(drawn(at, "block")[-1]["y"], expected)
    for text, length in zip(drawn(at, "block")[1]["text"], expected, strict=True):
        assert abs(float(text.split("<br>")[1]) - length) < 0.006


@pytest.mark.parametrize(("name", "layer"), EVERY_MODEL)
def test_every_stage_shows_its_vector(run, name, layer) -> None:
    at, bundle, cache = run(name, layer)
    stages = stages_by_hand(bundle, cache, layer)
    before = {"ln1": "pre", "ln2": "mid"}
    terms = {"mid": ("pre", "attn_out"), "post": ("mid", "mlp_out")}
    if bundle.model.cfg.attn_only:
        terms = {"post": ("pre", "attn_out")}
    for stage in (stage for stage in STAGES if stage in stages):
        at.session_state["stage"] = stage
        at.run()
        assert not at.exception
        if stage in before:
            shown = the_map(at, "strip of the stage strips")
            norm = getattr(bundle.model.blocks[layer], stage)
            x = stages[before[stage]]
            _, _, normalized, after = by_hand(norm, x)
            for row, vectors in zip(shown, (x, normalized, after), strict=True):
                close(row, vectors[TOKEN])
        else:
            rows = [*terms.get(stage, ()), stage]
            shown = the_map(at, "strip of the stage strips")
            torch.testing.assert_close(
                shown, torch.stack([stages[row][TOKEN] for row in rows]), atol=1e-4, rtol=1e-4
            )
            if stage in terms:
                torch.testing.assert_close(shown[0] + shown[1], shown[2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "layer"), EVERY_MODEL)
def test_lengths_of_all_layers_and_tokens(run, name, layer) -> None:
    at, bundle, cache = run(name, layer)
    cfg = bundle.model.cfg
    lengths = {}
    for part in ["resid_pre", "attn_out", *["mlp_out"] * (not cfg.attn_only), "resid_post"]:
        every = torch.stack(
            [hook(cache, at_layer, f"hook_{part}") for at_layer in range(cfg.n_layers)]
        )
        lengths[part] = every.square().sum(-1).sqrt()
    shown = maps(at, "lengths maps")
    assert list(shown) == [TITLES[part] for part in lengths if part in TITLES]
    for part in lengths.keys() - {"resid_pre"}:
        torch.testing.assert_close(shown[TITLES[part]].flip(0), lengths[part], atol=1e-4, rtol=1e-4)
    if cfg.n_layers > 1:
        names = [line["name"] for line in header(at, "lengths")["rows"][0]["lines"]]
        assert names == list(lengths)
        for line, name in zip(bars(at, "lengths")["length"], names, strict=True):
            torch.testing.assert_close(line, lengths[name][:, TOKEN], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("which", ["ln1", "ln2"])
@pytest.mark.parametrize(("name", "layer"), EVERY_MODEL)
def test_the_norm_before_and_after(run, name, layer, which) -> None:
    at, bundle, cache = run(name, layer, norm=which)
    if bundle.model.cfg.attn_only:
        which = "ln1"  # it has no other
    norm = getattr(bundle.model.blocks[layer], which)
    x = hook(cache, layer, "hook_resid_pre" if which == "ln1" else "hook_resid_mid")
    mean, scale, normalized, after = by_hand(norm, x)
    shown = bars(at, "mean and scale")
    torch.testing.assert_close(shown["mean"], mean, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shown["scale"], scale, atol=1e-4, rtol=1e-4)
    shortest, root = normalized.norm(dim=-1).min(), bundle.model.cfg.d_model**0.5
    assert shortest < root
    (words,) = (m.value for m in at.markdown if "fall short of it" in m.value)
    assert abs(float(words.split("scale²)) = ")[1].split(". ")[0]) - float(shortest)) < 2e-3
    assert f"{scale.min():.4f}" in words
    for row, vectors in zip(the_map(at, "one vector strips"), (x, normalized, after), strict=True):
        close(row, vectors[TOKEN])


@pytest.mark.parametrize(("name", "layer"), WITH_MLP)
def test_the_strongest_neurons_of_every_token(run, name, layer) -> None:
    at, bundle, cache = run(name, layer)
    post = stages_by_hand(bundle, cache, layer)["neurons"]
    cells = drawn(at, "neurons")[0]
    close(cells["z"], post.sort(descending=True).values[:, :8])
    numbers = as_tensor(cells["text"]).long()
    close(cells["z"], post.gather(1, numbers))
    close(drawn(at, "strongest")[0]["x"], post[TOKEN].sort(descending=True).values[:8])


@pytest.mark.parametrize(("name", "layer"), WITH_MLP)
def test_what_a_neuron_promotes_and_suppresses(run, name, layer) -> None:
    neuron = 17
    at, bundle, _ = run(name, layer, neuron=str(neuron))
    model = bundle.model
    row = model.blocks[layer].mlp.W_out[neuron]
    effects = ((row - row.mean()) * model.ln_final.w) @ model.W_U
    values, ids = effects.sort(descending=True)
    expected = torch.cat([values[:8], values.flip(0)[:8]])
    bars = drawn(at, "vocabulary")[0]
    close(bars["x"], expected)
    chart = next(c for c in at.get("plotly_chart") if c.proto.id.endswith("-vocabulary figure"))
    tokens = json.loads(chart.proto.spec)["layout"]["meta"]["table"]["y_labels"][1]
    best, worst = (bundle.tokenizer.str_tokens([int(i)])[0] for i in (ids[0], ids[-1]))
    assert tokens[0] == best and tokens[8] == worst
    assert f"Neuron {neuron}" in chart.proto.alt


@pytest.mark.parametrize(("name", "layer"), WITH_MLP)
def test_the_strip_has_the_activation_of_the_chosen_neuron(run, name, layer) -> None:
    import numpy as np

    at, bundle, cache = run(name, layer, neuron="17")
    strip = next(
        part for part in at.get("bidi_component") if part.proto.id.endswith("-where active")
    )
    packed = strip.proto.bytes
    length = int.from_bytes(packed[:4], "little")
    assert "neuron 17" in json.loads(packed[4 : 4 + length])["name"]
    shown = torch.from_numpy(np.frombuffer(packed[4 + length :], dtype="<f4").copy())
    expected = stages_by_hand(bundle, cache, layer)["neurons"][:, 17]
    torch.testing.assert_close(shown, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "layer"), WITH_MLP)
@pytest.mark.parametrize("token", [None, 0])
def test_the_guess_is_graded_against_the_run(run, name, layer, token) -> None:
    at, _, cache = run(name, layer, token)
    place = -1 if token is None else token
    written = {
        "attention": hook(cache, layer, "hook_attn_out")[place].norm(),
        "the MLP": hook(cache, layer, "hook_mlp_out")[place].norm(),
    }
    right = max(written, key=written.get)
    for guess in written:
        at.session_state["predict writer"] = guess
        at.run()
        said = [*at.success, *at.info][0].value
        assert said.startswith("Right." if guess == right else "Not this time"), said
        assert all(f"{length:.3f}" in said for length in written.values())


def test_without_an_mlp_the_guess_is_about_the_stream(run) -> None:
    at, _, cache = run("induction", 1)
    before, after = (hook(cache, 1, f"hook_resid_{at_}")[TOKEN].norm() for at_ in ("pre", "post"))
    at.session_state["predict length"] = "longer" if after > before else "shorter"
    at.run()
    assert at.success[0].value.startswith("Right.") and f"{after:.3f}" in at.success[0].value


def test_with_ask_on_the_answer_waits_for_a_guess(run) -> None:
    at, *_ = run("mirror", 0, ask="true")
    keys = [chart.proto.id for chart in at.get("plotly_chart")]
    assert not any(key.endswith("-block figure") for key in keys) and not maps(at, "lengths maps")
    at.session_state["predict writer"] = "attention"
    at.run()
    assert drawn(at, "block") and maps(at, "lengths maps")


def test_a_model_of_attention_only_says_so(run) -> None:
    at, *_ = run("induction", 0)
    assert any("no MLP" in message for message in messages(at))


def test_choices_survive_another_model_and_another_prompt(run) -> None:
    at, *_ = run("shakespeare", 3, stage="mid", neuron="1000", norm="ln2")
    assert at.session_state["neuron"] == 1000 and at.session_state["stage"] == "mid"
    for model in ("induction", "mirror", "shakespeare"):
        at.selectbox(key="model").set_value(model).run()
        assert not at.exception and not at.error, model
    for prompt in ("x", "<b>*a*</b> :red[x] $y$"):
        at.text_area(key="prompt").set_value(prompt).run()
        assert not at.exception and not at.error, prompt
        assert drawn(at, "neurons")


@pytest.mark.parametrize(
    "query", [{"neuron": "-1"}, {"neuron": "²"}, {"stage": "zz"}, {"norm": "x"}]
)
def test_a_url_that_asks_for_nonsense_gets_the_default(run, query) -> None:
    at, *_ = run("mirror", 0, None, **query)
    assert drawn(at, "block") and drawn(at, "vocabulary")


def test_the_road_is_walked_forward_and_back(run) -> None:
    at, *_ = run("mirror", 0)

    def walk(label):
        turn(at, "stage", label)
        assert not at.exception
        return at.session_state["stage"]

    assert [walk("Forward") for _ in range(7)] == STAGES[1:]
    assert walk("Back") == "mlp_out"
