"""The page of attention: every map, bar and step, computed here anew from weights and residuals."""

import math

import pytest
import torch

from tests.pages.screen import as_tensor, bars, close, drawn, header, maps, open_code, said, the_map

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


@pytest.mark.parametrize("turned", [False, True])
def test_a_query_or_a_key_alone_is_framed(opened, turned) -> None:
    places = {"token": "5", "key token": "2"}
    for asked, (query, key) in (("token", (5, None)), ("key token", (None, 2)), ("", (None, None))):
        chosen = {asked: places[asked]} if asked else {}
        at, _ = opened("mirror", 0, 1, turned=str(turned).lower(), **chosen)
        row, column = (key, query) if turned else (query, key)
        wanted = {"row": row, "column": column} if chosen else None
        assert header(at, "large")["lock"] == wanted


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
    weight, length = maps(at, "large").values()
    close(length, by_hand["lengths"])
    assert header(at, "large")["panels"][0]["title"].endswith("weight without the first token")
    rest = by_hand["weights"].clone()
    rest[:, 0] = 0
    expected = rest / rest.sum(-1, keepdim=True)
    seen = rest.sum(-1) > 1e-3  # a row that rested on it alone has nothing left to scale
    close(weight[seen], expected[seen], atol=1e-3)
    assert "not what the model used. So the lengths beside them stay as they are" in said(at)
    assert "the norm of the model’s own weight" in said(at)


@pytest.mark.parametrize("turned", ["false", "true"])
def test_each_row_of_the_large_maps_can_have_its_own_scale(opened, turned) -> None:
    at, _ = opened("shakespeare", 1, 1, turned=turned)
    before, numbers = header(at, "large"), maps(at, "large")
    assert [panel["by_row"] for panel in before["panels"]] == [False, False]
    at.toggle(key="own head").set_value(True).run()
    after = header(at, "large")
    assert [panel["by_row"] for panel in after["panels"]] == [True, True]
    assert not header(at, "mosaic")["row_scale"], "the other toggle is for all heads"
    for title, values in maps(at, "large").items():
        close(values, numbers[title], atol=0)
    linked, _ = opened("shakespeare", 1, 1, **{"own head": "true"})
    assert header(linked, "large")["panels"][0]["by_row"]


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

    steps = {"1 q · k": "raw", "2 scale": "scaled", "3 mask": "masked"}
    for step, what in steps.items():
        go_to(step)
        (values,) = bars(at, "road").values()
        expected = by_hand[what][query]
        close(values, expected, atol=1e-3)
    go_to("4 softmax")
    score, exp, weight = bars(at, "road").values()
    close(score, by_hand["masked"][query], atol=1e-3)
    close(exp, (by_hand["masked"][query] - by_hand["masked"][query].max()).exp(), atol=1e-3)
    close(weight, by_hand["weights"][query], atol=1e-3)
    most = by_hand["weights"][query].max()
    assert f"1.000 / {exp.sum():.3f} = {most:.3f}." in said(at)
    z = by_hand["weights"][query] @ by_hand["v"]
    close(strip("5 values")[-1], z, atol=1e-3)
    largest = int(by_hand["weights"][query].topk(min(6, query + 1)).indices.min())
    assert f"v\\[{largest}] is that of position {largest}" in said(at)
    close(strip("6 W_O")[0], z @ by_hand["W_O"], atol=1e-3)
    close(strip("6 W_O", "z")[0], z, atol=1e-3)
    products = by_hand["q"][query] * by_hand["k"][2] / by_hand["root"]
    close(strip("2 scale", "cell")[0], products, atol=1e-3)
    assert f"its score {products.sum():.3f} is the sum" in said(at)
    products = by_hand["q"][query] * by_hand["k"][2]
    close(strip("1 q · k", "cell")[0], products, atol=1e-3)
    assert f"q · k is {products.sum():.3f}, the sum" in said(at)


@pytest.mark.parametrize(("name", "layer", "head"), HEADS)
def test_scores_of_heads_and_the_graded_guess(opened, name, layer, head) -> None:
    at, by_hand = opened(name, layer, head)
    weights, n = by_hand["weights"], len(by_hand["ids"])
    expected = {"previous token": weights.diagonal(-1).mean()}
    if "mirror" in name:
        expected["mirror"] = torch.stack(
            [weights[query, 14 - query] for query in range(7, n)]  # its middle is before 8
        ).mean()
    kinds = {kind: grid.flip(0) for kind, grid in maps(at, "kinds").items()}
    assert ("mirror" in kinds) == ("mirror" in name)
    for kind, score in expected.items():
        close(kinds[kind][layer, head], score)
    question = at.button_group(key="predict head")
    asked = kinds["mirror" if "mirror" in name else "previous token"]
    digits = [f"{score:.2f}" for score in asked.flatten().tolist()]
    names = [f"L{a}H{b}" for a in range(asked.shape[0]) for b in range(asked.shape[1])]
    right = [n for n, d in zip(names, digits, strict=True) if d == digits[int(asked.argmax())]]
    for option in question.options:
        at.button_group(key="predict head").set_value(option).run()
        assert not at.exception
        assert bool(at.success) == (option in right)


def test_heads_that_are_equal_in_the_digits_shown_are_all_right(visit) -> None:
    at = visit(PAGE, model="mirror")
    grid = maps(at, "kinds")["mirror"].flip(0)
    scores = grid.flatten()
    first, second = scores.topk(2).indices.tolist()
    assert scores[first] != scores[second] and f"{scores[first]:.2f}" == f"{scores[second]:.2f}"
    name = "L{}H{}".format(*divmod(second, grid.shape[1]))
    at.button_group(key="predict head").set_value(name).run()
    as_well = at.success[0].value.partition("equal in these two digits")[2]
    assert name in as_well


def test_the_answer_is_nowhere_on_the_page_before_the_guess(visit) -> None:
    at = visit(PAGE, model="mirror", ask="true")
    assert not maps(at, "kinds") and not maps(at, "costs")
    question = at.button_group(key="predict head")
    question.set_value(question.options[0]).run()
    assert "mirror" in maps(at, "kinds")


@pytest.mark.parametrize("model", ["mirror", "shakespeare"])
def test_without_a_lock_the_road_starts_in_the_middle(opened, model) -> None:
    at, by_hand = opened(model, 0, 0, step="3 mask")
    query = len(by_hand["ids"]) // 2
    (values,) = bars(at, "road").values()
    close(values[: query + 1], by_hand["masked"][query, : query + 1], atol=1e-3)
    assert "this is the one in the middle" in said(at)
    assert f"{len(by_hand['ids']) - 1 - query} keys come after" in said(at)
    at.selectbox(key="token").set_value(1).run()
    assert "this is the one in the middle" not in said(at)


def test_one_head_per_layer_stand_side_by_side(visit) -> None:
    head = header(visit(PAGE, model="induction"), "mosaic")
    assert head["columns"] == 2 and head["names"] == ["L0H0", "L1H0"]


@pytest.mark.parametrize(
    ("step", "key", "axis"), [("5 values", "road", "d_head"), ("6 W_O", "road", "d_model")]
)
def test_strips_name_their_axis_in_its_colour(visit, step, key, axis) -> None:
    from pages._ui.axes import css_colour

    columns = header(visit(PAGE, model="mirror", step=step), f"{key} strips")["columns"]
    assert columns["name"] == axis and columns["colour"] == css_colour(axis)


@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts(opened, prompt) -> None:
    at, by_hand = opened("shakespeare", 1, 0, prompt=prompt.strip())
    weight, _ = maps(at, "large").values()
    close(weight, by_hand["weights"])
    assert "<b>" not in said(at).replace("\\<b\\>", "")


def test_the_cost_stands_where_a_narrow_screen_shows_it(visit) -> None:
    at = visit(PAGE, model="induction")
    (table,) = (each.value for each in at.dataframe if "cost without it" in each.value)
    assert list(table.columns)[:3] == ["head", "cost without it", "check"]
