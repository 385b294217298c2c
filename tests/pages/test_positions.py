"""The page of positions: what it draws and says is computed here anew, from weights and runs."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from tests.pages.screen import as_tensor, drawn, maps, messages, said, the_map

PAGE = "pages/read/positions.py"
MODELS = ["shakespeare", "mirror", "mirror-no-positions"]
LEARNED = ["shakespeare", "mirror"]
KINDS = ["learned", "sinusoidal", "none", "rotary", "alibi"]
ODD = ["x", "ab", "🎭 naïve 漢字", "שלום עולם", "<b>*x*</b> $y$ :red[z]", "a b " * 31, "a b " * 32]


@pytest.fixture
def opened(visit):
    """opened(model, kind, **query) -> the page, the model, and the prompt's ids."""
    import tfs

    def open_page(name, kind=None, **query):
        at = visit(PAGE, model=name, **query)
        if kind:
            at.button_group(key="kind").set_value(kind).run()
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        return at, bundle.model, torch.tensor(bundle.tokenizer.encode(at.session_state["prompt"]))

    return open_page


def sines(n_ctx, d_model):
    """Vaswani et al. 2017, section 3.5, one entry after the other."""
    rows = torch.zeros(n_ctx, d_model)
    for pos in range(n_ctx):
        for i in range(d_model):
            angle = pos / 10_000 ** ((i - i % 2) / d_model)
            rows[pos, i] = math.cos(angle) if i % 2 else math.sin(angle)
    return rows


def vectors_of(model, kind):
    cfg = model.cfg
    return model.W_pos.detach() if kind == "learned" else sines(cfg.n_ctx, cfg.d_model)


@pytest.mark.parametrize("kind", ["learned", "sinusoidal"])
@pytest.mark.parametrize("name", LEARNED)
def test_vectors_and_their_likeness(opened, name, kind) -> None:
    at, model, _ = opened(name, kind)
    W_pos = vectors_of(model, kind)
    for shown in {min(64, len(W_pos)), len(W_pos)}:
        if shown > 64:
            at.toggle(key="all").set_value(True).run()
        rows = W_pos[:shown]
        torch.testing.assert_close(the_map(at, "vectors map"), rows, atol=1e-5, rtol=0)
        cosines = F.cosine_similarity(rows[:, None], rows[None], dim=-1)
        torch.testing.assert_close(the_map(at, "alike map"), cosines, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_likeness_by_distance(opened, name) -> None:
    at, model, _ = opened(name)
    traces = drawn(at, "distance")["data"]
    kinds = ["learned", "sinusoidal"] if name in LEARNED else ["sinusoidal"]
    assert [trace["name"] for trace in traces if trace.get("showlegend", True)] == kinds
    for i, kind in enumerate(kinds):
        rows = vectors_of(model, kind)
        cosines = F.cosine_similarity(rows[:, None], rows[None], dim=-1)
        low, high, middle = (as_tensor(trace["y"]) for trace in traces[3 * i : 3 * i + 3])
        for distance in range(len(rows)):
            pairs = torch.stack([cosines[p, p + distance] for p in range(len(rows) - distance)])
            mean, spread = pairs.mean(), pairs.std(correction=0)
            assert middle[distance].item() == pytest.approx(mean.item(), abs=1e-5)
            assert low[distance].item() == pytest.approx((mean - spread).item(), abs=1e-4)
            assert high[distance].item() == pytest.approx((mean + spread).item(), abs=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_page_opens_on_the_kind_of_its_model_and_follows_it(opened, name) -> None:
    at, *_ = opened("mirror", "sinusoidal")
    at.selectbox(key="model").set_value(name).run()
    own = "none" if name == "mirror-no-positions" else "learned"
    expected = "sinusoidal" if name == "mirror" else own  # the model did not change
    assert at.session_state["kind"] == expected
    assert not at.exception and not at.warning
    assert opened(name)[0].session_state["kind"] == own


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_shown_says_so(opened, name, kind) -> None:
    at, *_ = opened(name, kind)
    has_vectors = kind == "sinusoidal" or (kind == "learned" and name in LEARNED)
    assert bool(maps(at, "vectors map")) == has_vectors
    assert bool(messages(at)) != has_vectors
    assert drawn(at, "distance") and drawn(at, "twice")


@pytest.mark.parametrize("name", LEARNED)
def test_learned_positions_end_where_the_model_says(opened, name) -> None:
    at, model, _ = opened(name, "learned")
    with pytest.raises(ValueError) as refusal:
        model(torch.zeros(1, model.cfg.n_ctx + 1, dtype=torch.long))
    assert str(refusal.value) in said(at).replace("\\", "")
    lengths = [math.sqrt(sum(x * x for x in row.tolist())) for row in model.W_pos.detach()]
    for place, length in ((lengths.index(f(lengths)), f(lengths)) for f in (max, min)):
        assert f"row {place} with" in said(at).replace("\n", " ")
        assert f"{length:.2f}" in said(at)


def test_sines_reach_any_position(opened) -> None:
    at, model, _ = opened("mirror", "sinusoidal")
    rows = sines(10 * model.cfg.n_ctx + 2, model.cfg.d_model)
    for i in (0, 10 * model.cfg.n_ctx):
        assert f"{F.cosine_similarity(rows[i], rows[i + 1], dim=0):.4f}" in said(at)


@pytest.mark.parametrize("k", [3, 9])
def test_one_rotation_leads_from_every_position_to_the_one_k_further(opened, k) -> None:
    at, model, _ = opened("mirror", "sinusoidal", k=str(k))
    d_model, n_ctx = model.cfg.d_model, model.cfg.n_ctx
    rows = sines(n_ctx + k, d_model)
    start, turned, end = the_map(at, "rotation strips")
    torch.testing.assert_close(start, rows[5])
    torch.testing.assert_close(end, rows[5 + k])
    torch.testing.assert_close(turned, end, atol=1e-6, rtol=0)
    (words,) = (m.value for m in at.markdown if "which is rounding" in m.value)
    assert float(words.split(", which is rounding")[0].split()[-1]) < 1e-5
    for i in range(3):
        assert f"{math.degrees(k / 10_000 ** (2 * i / d_model)):.2f}°" in words
    assert not maps(opened("mirror", "learned")[0], "rotation strips")


def test_k_fits_the_next_model_too(opened) -> None:
    at, *_ = opened("shakespeare", "sinusoidal", k="100")
    assert at.slider(key="k").value == 100
    at.selectbox(key="model").set_value("mirror").run()
    at.button_group(key="kind").set_value("sinusoidal").run()
    assert not at.exception and at.slider(key="k").value < 16


@pytest.mark.parametrize("name", MODELS)
def test_without_vectors_the_page_says_which_model_is_measured(opened, name) -> None:
    (text,) = messages(opened(name, "none")[0])
    own = name == "mirror-no-positions"
    assert ("which has learned positions" in text) != own
    assert ("measures how much that is in" in text) == own


def test_a_row_that_no_training_reached_is_named(opened) -> None:
    from tfs.tasks import Batch
    from tfs.train.loss import training_loss

    at, model, _ = opened("shakespeare", "learned")
    last = model.cfg.n_ctx - 1
    assert f"As good as zero is row {last}: it was never trained" in said(at)
    assert "As good as zero" not in said(opened("mirror", "learned")[0])
    tokens = torch.randint(model.cfg.d_vocab, (2, model.cfg.n_ctx))
    counted = torch.ones_like(tokens, dtype=torch.bool)
    model = copy.deepcopy(model).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(
            training_loss(model, Batch(tokens, counted, counted)), model.pos_embed.W_pos
        )
    assert gradient[last].abs().max() == 0 and (gradient[:last].abs().amax(-1) > 0).all()


def turned_by_hand(model, ids):
    """Weights of the last token in both orders, [layer head key], each at its own token."""
    pos = len(ids)
    turned = torch.cat([ids[:-1].flip(0), ids[-1:]])
    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(model.cfg.n_layers)]
    with torch.no_grad():
        first, second = (
            torch.stack([model.run_with_cache(run[None])[1][name][0, :, -1] for name in names])
            for run in (ids, turned)
        )
    back = [pos - 2 - place for place in range(pos - 1)] + [pos - 1]
    return first, torch.stack([second[:, :, place] for place in back], -1)


@pytest.mark.parametrize("name", MODELS)
def test_turning_the_prompt_around(opened, name) -> None:
    at, model, ids = opened(name)
    head = model.cfg.n_heads - 1
    at.button_group(key="head").set_value(head).run()
    first, second = turned_by_hand(model, ids)
    for trace, weights in zip(drawn(at, "twice")["data"], (first, second), strict=True):
        torch.testing.assert_close(as_tensor(trace["y"]), weights[0, head], atol=1e-5, rtol=0)
    changes = (first - second).abs().amax(-1)
    cells = the_map(at, "changes map").flip(0)  # layer 0 is the lowest row
    torch.testing.assert_close(cells, changes, atol=1e-5, rtol=0)
    if name == "mirror-no-positions":
        assert changes[0].max() < 1e-6 and "a bag of tokens" in said(at)
        assert changes[1].max() > 0.01 and f"{changes[1].max():.3f}" in said(at)
    else:
        assert changes[0].max() > 0.01 and f"{changes[0].max():.3f}" in said(at)
        assert "tells places apart" in said(at)


@pytest.mark.parametrize("prompt", ["5", "5 6", "7 7 7 7", "1 2 2 1 9"])
@pytest.mark.parametrize("name", MODELS)
def test_a_prompt_that_reads_the_same_both_ways_says_so(opened, name, prompt) -> None:
    if name == "shakespeare":
        prompt = "a" * len(prompt.split())
    at, _, ids = opened(name, prompt=prompt)
    if ids[:-1].tolist() == ids[:-1].tolist()[::-1]:
        assert any("reads the same" in text for text in messages(at))
        assert drawn(at, "twice") is None


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("kind", ["learned", "sinusoidal"])
def test_the_question_is_graded_by_the_vectors_on_screen(opened, name, kind) -> None:
    at, model, _ = opened(name, kind, ask="true")
    assert not maps(at, "alike map")
    rows = vectors_of(model, kind)
    cosines = F.cosine_similarity(rows[5, None], rows)
    cosines[5] = -2
    best = cosines.max()
    options = at.button_group(key="predict position").options
    for option in options:
        at.button_group(key="predict position").set_value(option).run()
        assert bool(at.success) == bool(cosines[int(option)] > best - 1e-5)
        assert f"{best:.3f} with" in (at.success or at.info)[0].value
    right = [option for option in options if cosines[int(option)] > best - 1e-5]
    assert right == (["4", "6"] if kind == "sinusoidal" else right[:1])
    assert maps(at, "alike map")


@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts(opened, prompt) -> None:
    at, _, ids = opened("shakespeare", prompt=prompt.strip())
    assert the_map(at, "vectors map").shape[0] >= max(64, len(ids))
    sizes = [len(chart.proto.spec) for chart in at.get("plotly_chart")]
    assert sum(sizes) < 300_000 or len(ids) > 64


def test_only_colours_that_end_below_an_entry_say_that_some_look_the_same(opened) -> None:
    assert "that are larger look the same" in said(opened("mirror", "learned")[0])
    at = opened("mirror", "sinusoidal")[0]
    assert "The colours end at ±1." in said(at) and "look the same" not in said(at)


@pytest.mark.parametrize("kind", ["rotary", "alibi"])
def test_kinds_without_vectors_say_why_they_have_no_curve(opened, kind) -> None:
    assert f"The kind chosen above, {kind}, has no vectors" in said(opened("mirror", kind)[0])
    assert "has no vectors" not in said(opened("mirror", "sinusoidal")[0])


def test_slopes_are_written_with_the_digits_that_count(opened) -> None:
    at, model, _ = opened("mirror", "alibi")
    slopes = [2 ** (-8 * (n + 1) / model.cfg.n_heads) for n in range(model.cfg.n_heads)]
    texts = drawn(at, "slopes")["data"][0]["text"]
    assert [float(text) for text in texts] == pytest.approx(slopes, rel=1e-2)


HEADINGS = {
    "learned": "A vector for every place",
    "sinusoidal": "A vector for every place",
    "rotary": "A turn for every place",
    "alibi": "A price for every step away",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_does_is_its_heading_and_what_it_does_not_change_is_said(opened, kind) -> None:
    at, *_ = opened("mirror", kind)
    headings = [each.value for each in at.subheader]
    assert [each for each in headings if each in HEADINGS.values()] == (
        [HEADINGS[kind]] if kind in HEADINGS else []
    )
    whose = "Here **mirror** runs with its own positions, learned: the kind chosen above, "
    assert (f"{whose}{kind}, changes nothing here." in said(at)) == (kind != "learned")


def test_of_a_model_without_positions_it_is_said_that_it_runs_without(opened) -> None:
    assert "runs without any positions: the kind" in said(opened("mirror-no-positions", "alibi")[0])


@pytest.mark.parametrize("name", ["shakespeare", "mirror"])
def test_lines_that_lie_on_one_another_are_named_with_what_they_take_off(opened, name) -> None:
    at, model, _ = opened(name, "alibi")
    n, far = model.cfg.n_heads, model.cfg.n_ctx - 1
    off = [2 ** (-8 * (head + 1) / n) * far for head in range(n)]
    flat = [f"{each:.3g}" for each in off if each < 0.1 * off[0]]
    assert f"{', '.join(flat[:-1])} and {flat[-1]} are taken off, beside {off[0]:.3g} in H0" in (
        said(at)
    )
    assert f"The lines of H{n - len(flat)} to H{n - 1} lie next to 0" in said(at)
