"""The page of attention: every map, bar and step, computed here anew from weights and residuals."""

import math

import pytest
import torch

from tests.pages.screen import as_tensor, drawn, maps, open_code, said, the_map

PAGE = "pages/read/attention.py"
HEADS = [
    ("mirror", 0, 2),
    ("shakespeare", 3, 6),
    ("induction", 1, 0),
    ("mirror-no-positions", 2, 1),
]
ODD = ["x", "ab", "🎭 naïve 漢字", "שלום עולם", "<b>*x*</b> $y$ :red[z]", "a b " * 32]


@pytest.fixture
def opened(visit):
    """opened(model, layer, head, **query) -> the page, and that head from its weights."""
    import tfs

    def open_page(name, layer, head, **query):
        at = visit(PAGE, model=name, layer=str(layer), head=str(head), **query)
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        ids = torch.tensor(bundle.tokenizer.encode(at.session_state["prompt"]))
        return at, head_by_hand(bundle.model, ids, layer, head)

    return open_page


def head_by_hand(model, ids, layer, head) -> dict:
    """One head, written out for all positions from the stream that enters its block."""
    with torch.no_grad():
        _, cache = model.run_with_cache(ids[None], names_filter=f"blocks.{layer}.hook_resid_pre")
        block = model.blocks[layer]
        x = block.ln1(cache["resid_pre", layer][0]) if hasattr(block, "ln1") else None
        W = block.attn
        q, k, v = (
            x @ getattr(W, f"W_{n}")[head] + getattr(W, f"b_{n}")[head] for n in ("Q", "K", "V")
        )
    raw = q @ k.T
    scaled = raw / math.sqrt(model.cfg.d_head)
    masked = scaled.masked_fill(torch.ones_like(scaled).triu(1).bool(), -torch.inf)
    weights = masked.softmax(-1)
    brought = (v @ W.W_O[head]).norm(dim=-1)
    return {
        "ids": ids,
        "q": q,
        "k": k,
        "v": v,
        "raw": raw,
        "scaled": scaled,
        "masked": masked,
        "weights": weights,
        "lengths": weights * brought,
        "W_O": W.W_O[head].detach(),
        "root": math.sqrt(model.cfg.d_head),
    }


def close(found, expected, atol=2e-4) -> None:
    torch.testing.assert_close(found, expected.detach(), atol=atol, rtol=1e-4)


@pytest.mark.parametrize(("name", "layer", "head"), HEADS)
def test_weights_and_lengths_of_one_head(opened, name, layer, head) -> None:
    at, by_hand = opened(name, layer, head)
    weight, length = maps(at, "large").values()
    close(weight, by_hand["weights"])
    close(length, by_hand["lengths"])
    at.toggle(key="turned").set_value(True).run()
    weight, length = maps(at, "large").values()
    close(weight, by_hand["weights"].T)
    close(length, by_hand["lengths"].T)


@pytest.mark.parametrize("turned", ["false", "true"])
def test_the_maps_can_be_taken_along_as_figures(opened, turned) -> None:
    at, _ = opened("mirror", 0, 1, turned=turned)
    shown = maps(at, "large")
    open_code(at)
    at.toggle(key="large shown").set_value(True).run()
    for what, values in zip(("weight", "length"), shown.values(), strict=True):
        at.button_group(key="large which").set_value(what).run()
        assert not at.exception
        close(as_tensor(drawn(at, "large")["data"][0]["z"]), values, atol=1e-6)


@pytest.mark.parametrize(("name", "layer", "head"), HEADS[:2])
def test_without_the_first_token_each_row_sums_to_one_again(opened, name, layer, head) -> None:
    at, by_hand = opened(name, layer, head, hide="true")
    weight = maps(at, "large")[f"L{layer}H{head}: weight"]
    rest = by_hand["weights"].clone()
    rest[:, 0] = 0
    expected = rest / rest.sum(-1, keepdim=True)
    seen = rest.sum(-1) > 1e-3  # a row that rested on it alone has nothing left to scale
    close(weight[seen], expected[seen], atol=1e-3)
    assert "not what the model used" in said(at)


@pytest.mark.parametrize(("name", "layer", "head"), HEADS)
def test_every_step_of_the_road(opened, name, layer, head) -> None:
    at, by_hand = opened(name, layer, head)
    query = len(by_hand["ids"]) - 1
    at.selectbox(key="token").set_value(query).run()
    at.selectbox(key="key token").set_value(2).run()

    def go_to(step):
        at.button_group(key="step").set_value(step).run()
        assert not at.exception

    def strip(step, key="road"):
        go_to(step)
        return the_map(at, f"{key} strips")

    steps = {"1 q · k": "raw", "2 scale": "scaled", "3 mask": "masked", "4 softmax": "weights"}
    for step, what in steps.items():
        go_to(step)
        values = torch.cat([as_tensor(trace["y"]) for trace in drawn(at, "road")["data"]])
        expected = by_hand[what][query]
        close(values[: len(expected)], expected, atol=1e-3)
    z = by_hand["weights"][query] @ by_hand["v"]
    close(strip("5 values")[-1], z, atol=1e-3)
    close(strip("6 W_O")[0], z @ by_hand["W_O"], atol=1e-3)
    products = by_hand["q"][query] * by_hand["k"][2] / by_hand["root"]
    close(strip("2 scale", "cell")[0], products, atol=1e-3)
    assert f"its score {products.sum():.3f} is the sum" in said(at)


@pytest.mark.parametrize(("name", "layer", "head"), HEADS)
def test_scores_of_heads_and_the_graded_guess(opened, name, layer, head) -> None:
    at, by_hand = opened(name, layer, head)
    weights, n = by_hand["weights"], len(by_hand["ids"])
    expected = {"previous token": weights.diagonal(-1).mean()}
    if "mirror" in name:
        expected["mirror"] = torch.stack(
            [weights[query, 14 - query] for query in range(7, n)]  # its middle is before 8
        ).mean()
    assert (drawn(at, "mirror") is not None) == ("mirror" in name)
    for kind, score in expected.items():
        close(as_tensor(drawn(at, kind)["data"][0]["z"])[layer, head], score)
    question = at.button_group(key="predict head")
    asked = as_tensor(drawn(at, "mirror" if "mirror" in name else "previous token")["data"][0]["z"])
    best = divmod(int(asked.argmax()), asked.shape[1])
    for option in question.options:
        at.button_group(key="predict head").set_value(option).run()
        assert not at.exception
        assert bool(at.success) == (option == "L{}H{}".format(*best))


@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts(opened, prompt) -> None:
    at, by_hand = opened("shakespeare", 1, 0, prompt=prompt.strip())
    weight, _ = maps(at, "large").values()
    close(weight, by_hand["weights"])
    assert "<b>" not in said(at).replace("\\<b\\>", "")
