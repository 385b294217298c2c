"""The page of masks: cells, softmax and losses, each computed here anew."""

import math
import re

import pytest
import torch

from tests.pages.masks_page import (
    SETTING,
    as_kept,
    kept,
    losses_by_hand,
    mask_by_hand,
    scores_by_hand,
    weights_by_hand,
)
from tests.pages.screen import (
    as_tensor,
    bars,
    can_turn,
    drawn,
    header,
    maps,
    messages,
    open_code,
    said,
    turn,
)

PAGE = "pages/read/masks.py"
MODELS = ["shakespeare", "mirror", "mirror-no-positions"]
MASKS = ["causal", "none", "padding", "prefix", "sliding window"]
ODD = ["x", "ab", "🎭 naïve 漢字", "שלום עולם", "<b>*x*</b> $y$ :red[z]", "a b " * 31, "a b " * 32]


@pytest.fixture
def opened(visit):
    """opened(model, mask, **query) -> the page, the model, and the prompt's ids."""
    import tfs

    def open_page(name, mask="causal", **query):
        at = visit(PAGE, model=name, **query)
        if mask != "causal":
            at.button_group(key="mask").set_value(mask).run()
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        return at, bundle.model, torch.tensor(bundle.tokenizer.encode(at.session_state["prompt"]))

    return open_page


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", MODELS)
def test_the_whole_mask_and_what_it_does_to_a_head(opened, name, mask) -> None:
    at, model, ids = opened(name, mask)
    layer, head = model.cfg.n_layers - 1, model.cfg.n_heads - 1
    at.button_group(key="layer").set_value(layer).run()
    at.button_group(key="head").set_value(head).run()
    cells = mask_by_hand(mask, len(ids))
    assert kept(at).equal(as_kept(cells))
    assert f"{int(cells.sum())} open, {int((~cells).sum())} closed" in said(at)
    scores = scores_by_hand(model, ids, layer, head)
    expected = {
        "scores": scores,
        "masked": torch.where(cells, scores, -torch.inf),
        "softmax": weights_by_hand(scores, cells),
    }
    shown = maps(at, "head maps")
    for title, values in expected.items():
        torch.testing.assert_close(shown[title], values, atol=1e-4, rtol=1e-5)
    assert (shown["softmax"][~cells] == 0).all()


def test_the_maps_can_be_taken_along_as_figures(opened) -> None:
    at, *_ = opened("mirror", "prefix")
    shown = maps(at, "head maps")
    open_code(at)
    at.toggle(key="head maps shown").set_value(True).run()
    for title, values in shown.items():
        at.button_group(key="head maps which").set_value(title).run()
        assert not at.exception
        z = as_tensor(drawn(at, "head maps")["data"][0]["z"])
        torch.testing.assert_close(z, values, atol=1e-6, rtol=1e-6)
    at.toggle(key="mask cells shown").set_value(True).run()
    z = as_tensor(drawn(at, "mask cells")["data"][0]["z"])
    torch.testing.assert_close(z, kept(at).exp())


def test_a_closed_score_is_replaced_wherever_the_page_speaks_of_it(opened) -> None:
    at, *_ = opened("mirror")
    open_code(at)
    texts = [said(at), header(at, "mask cells")["panels"][0]["title"]]
    texts.append(header(at, "mask cells")["hint"])
    for text in texts:
        sentences = [part for part in re.split(r"[.;]\s", text) if "−∞" in part]
        assert sentences and all("replace" in part or "exp(−∞)" in part for part in sentences)
        assert "added" not in text and "become" not in text
    programs = [code.value for code in at.code if "-torch.inf" in code.value]
    assert programs and all("masked_fill(~mask" in program for program in programs)


@pytest.mark.parametrize("mask", [name for name in MASKS if name in SETTING])
@pytest.mark.parametrize("setting", [0, 1, 7, 12])
def test_the_sliders(opened, mask, setting) -> None:
    at, _, ids = opened("mirror", mask)
    key = SETTING[mask][0]
    setting = max(setting, at.slider(key=key).min)
    at.slider(key=key).set_value(setting).run()
    assert not at.exception
    cells = mask_by_hand(mask, len(ids), setting)
    assert kept(at).equal(as_kept(cells))
    at.text_area(key="prompt").set_value("1 2 3").run()
    assert not at.exception and not at.warning
    assert at.slider(key=key).value == min(setting, 3)
    cells = mask_by_hand(mask, 3, min(setting, 3))
    assert kept(at).equal(as_kept(cells))


@pytest.mark.parametrize("mask", MASKS)
def test_every_cell_is_explained_as_it_is_decided(mask) -> None:
    from pages._ui.mask_builder import MAKERS, Mask, why

    setting = SETTING.get(mask, (None, None))[1]
    cells = mask_by_hand(mask, 9)
    made = Mask(mask, setting, MAKERS[mask](9, *([] if setting is None else [setting])))
    assert made.cells.equal(cells)
    for q in range(9):
        for k in range(9):
            sentence = why(made, q, k)
            assert sentence.startswith("**Open**" if cells[q, k] else "**Closed**")
            opens = any(words in sentence for words in ("no mask", "belongs", "itself", "before q"))
            assert opens == bool(cells[q, k]), sentence


def test_cell_by_cell_back_and_forward(opened) -> None:
    at, _, ids = opened("mirror")
    pos = len(ids)

    def press(label):
        turn(at, "cell", label)
        assert not at.exception
        return int((~kept(at).isnan()).sum())

    assert at.slider(key="cell").value == pos**2
    assert not can_turn(at, "cell", "Forward")
    assert press("Back") == pos**2 - 1
    assert press("From the start") == 0
    assert not can_turn(at, "cell", "Back")
    assert [press("Forward") for _ in range(3)] == [1, 2, 3]
    assert "Cell 3 of 144. **Closed**: key 2 comes after query 0." in said(at)
    assert [press("One row on") for _ in range(2)] == [12, 24]
    assert press("All") == pos**2
    at.slider(key="cell").set_value(16).run()
    assert "Cell 16 of 144. **Closed**: key 3 comes after query 1." in said(at)
    at.text_area(key="prompt").set_value("1 2 3").run()
    assert at.slider(key="cell").value == 9 and not at.exception and not at.warning


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("query", [0, 6, 11])
def test_one_row_of_softmax_in_numbers(opened, mask, query) -> None:
    at, model, ids = opened("mirror", mask)
    at.selectbox(key="token").set_value(query).run()
    scores = scores_by_hand(model, ids, 0, 0)[query]
    row = mask_by_hand(mask, len(ids))[query]
    exps = torch.tensor(
        [math.exp(s - scores[row].max()) if o else 0.0 for s, o in zip(scores, row, strict=True)]
    )
    shown = bars(at, "row")
    assert list(shown) == ["score", "exp", "weight"]
    drawn_rows = list(shown.values())
    expected = [torch.where(row, scores, -torch.inf), exps, exps / exps.sum()]
    for found, values in zip(drawn_rows, expected, strict=True):
        torch.testing.assert_close(found, values, atol=1e-4, rtol=1e-4)
    assert (drawn_rows[2][~row] == 0).all() and drawn_rows[2].sum().item() == pytest.approx(1)
    assert f"{int((~row).sum())} of them closed" in said(at)
    if not row.all():
        closed = int((~row).nonzero()[-1])
        assert f"scored {scores[closed]:.3f}" in said(at)
        assert f"0 / {exps.sum():.3f} is exactly 0" in said(at)
    head = header(at, "row")
    units = [told["unit"] for told in head["rows"]]
    assert units[1:] == [
        f"exp(score − {scores[row].max():.3f})".replace("− -", "+ "),
        f"exp / {exps.sum():.3f}, the sum of all",
    ]
    most = int(exps.argmax())
    label = head["axis"]["labels"][most]
    assert head["alt"].endswith(f"{exps[most] / exps.sum():.3f}, is at key {most} '{label}'")
    for told, values in zip(head["rows"], expected, strict=True):
        seen = values[values.isfinite()]
        assert told["low"] == (-told["high"] if (seen < 0).any() else 0)
        assert told["high"] == pytest.approx(seen.abs().max().item(), rel=1e-4)


@pytest.mark.parametrize("key", ["row", "losses"])
def test_bars_and_lines_can_be_taken_along_as_figures(opened, key) -> None:
    at, *_ = opened("mirror", "padding", token="5")
    shown = torch.cat([row.reshape(-1, row.shape[-1]) for row in bars(at, key).values()])
    open_code(at)
    at.toggle(key=f"{key} shown").set_value(True).run()
    figure = torch.stack([as_tensor(trace["y"]) for trace in drawn(at, key)["data"]])
    torch.testing.assert_close(figure, shown, atol=1e-6, rtol=1e-6, equal_nan=True)


def test_a_query_that_sees_nobody_says_so(opened) -> None:
    at, *_ = opened("mirror", "padding")
    at.slider(key="n_padding").set_value(12).run()
    assert any("sees nobody" in text for text in messages(at))
    assert bars(at, "row") == {}
    assert maps(at, "head maps")["softmax"].count_nonzero() == 0


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", MODELS)
def test_losses_with_and_without_the_mask(opened, name, mask) -> None:
    at, model, ids = opened(name, mask)
    (told,) = header(at, "losses")["rows"]
    shown = ["causal", "none", *([mask] if mask in SETTING else [])]
    assert [line["name"] for line in told["lines"]] == shown
    assert told["level"]["at"] == pytest.approx(math.log(model.cfg.d_vocab))
    means = {}
    for line, found in zip(shown, bars(at, "losses")["loss"], strict=True):
        losses = losses_by_hand(model, ids, mask_by_hand(line, len(ids)))
        if line == "padding":
            losses[-3:] = torch.nan
        torch.testing.assert_close(found, losses, atol=1e-4, rtol=1e-4, equal_nan=True)
        means[line] = losses.nanmean().item()
    for mean in means.values():
        assert f"{mean:.3f}" in said(at)
        assert f"{mean:.3f} with " in header(at, "losses")["alt"]
    assert f"{abs(means['none'] - means['causal']):.3f} nats " in said(at)
    if mask == "padding":
        real = losses_by_hand(model, ids, mask_by_hand("causal", len(ids)))[:-3]
        assert f"over the same the causal mask gives {real.mean():.3f}" in said(at)


@pytest.mark.parametrize("name", [*MODELS, "induction"])
def test_the_question_is_graded_by_the_measured_loss(opened, name) -> None:
    at, model, ids = opened(name, ask="true")
    assert bars(at, "losses") == {}
    causal, none = (
        losses_by_hand(model, ids, mask_by_hand(mask, len(ids))).mean() for mask in MASKS[:2]
    )
    change = (none - causal).item()
    answer = "the same" if abs(change) <= 0.01 else "higher" if change > 0 else "lower"
    for option in at.button_group(key="predict loss").options:
        at.button_group(key="predict loss").set_value(option.replace("\\", "")).run()
        assert not at.exception
        assert bool(at.success) == option.startswith(answer)
        assert f"{none:.3f} without" in (at.success or at.info)[0].value
    assert bars(at, "losses")


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", MODELS)
def test_one_token(opened, name, mask) -> None:
    at, *_ = opened(name, mask, prompt="5" if "mirror" in name else "x")
    assert any("no next one to predict" in text for text in messages(at))
    assert kept(at).shape == (1, 1)


@pytest.mark.parametrize("prompt", ODD)
@pytest.mark.parametrize("mask", ["causal", "sliding window"])
def test_odd_prompts(opened, prompt, mask) -> None:
    at, _, ids = opened("shakespeare", mask, prompt=prompt.strip())
    assert kept(at).equal(as_kept(mask_by_hand(mask, len(ids))))
    assert "<b>" not in said(at).replace("\\<b\\>", "")
    assert sum(len(c.proto.bytes) for c in at.get("bidi_component")) < 300_000


def test_the_choice_outlives_a_change_of_model(opened) -> None:
    at, *_ = opened("shakespeare", "sliding window")
    at.slider(key="cell").set_value(5).run()
    for name in ("mirror", "mirror-no-positions", "shakespeare"):
        at.selectbox(key="model").set_value(name).run()
        assert not at.exception and not at.error and not at.warning
        assert at.session_state["mask"] == "sliding window"
