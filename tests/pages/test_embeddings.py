"""The page of embeddings: every number drawn equals one computed here from the weights."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F

from tests.pages.screen import as_tensor, bars, cloud, header, messages, said, the_map

PAGE = "pages/read/embeddings.py"
MODELS = ["shakespeare", "mirror", "mirror-no-positions"]
ALL = "the whole vocabulary"
ODD = ["x", "🎭 naïve 漢字", "שלום עולם", "<b>*x*</b> $y$ :red[z]", "a b " * 31, "a b " * 32]


def drawn(at, key: str) -> dict:
    """The figure with this key."""
    charts = [c for c in at.get("plotly_chart") if c.proto.id.endswith(f"-{key} figure")]
    assert len(charts) == 1, key
    return json.loads(charts[0].proto.spec)


class Points(NamedTuple):
    """What is seen of points in two or three dimensions; names as components write them."""

    at: torch.Tensor
    names: list[str]
    marked: list[int]
    ring: int


def points_on(at, dimensions: int) -> Points:
    from pages._ui.components import shown

    if dimensions == 3:
        head, points = cloud(at)
        return Points(points, head["labels"], head["marked"], head["lock"])
    figure = drawn(at, "plane")
    everyone, marked, ring = (
        torch.stack([as_tensor(trace[axis]) for axis in "xy"], -1) for trace in figure["data"]
    )
    rows = [(everyone == each).all(-1).nonzero()[0].item() for each in (*marked, ring[0])]
    names = shown(figure["layout"]["meta"]["table"]["rows"][1])
    return Points(everyone, names, rows[:-1], rows[-1])


@pytest.fixture
def opened(visit):
    """opened(model, **query) -> the page, the model, the prompt's ids and its activations."""
    import tfs

    def open_page(name, **query):
        at = visit(PAGE, model=name, **query)
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        ids = torch.tensor(bundle.tokenizer.encode(at.session_state["prompt"]))
        with torch.no_grad():
            _, cache = bundle.model.run_with_cache(ids[None])
        return at, bundle, ids, cache

    return open_page


def components_by_hand(matrix, n):
    """Principal components from the covariance: coordinates up to their sign, and shares."""
    centred = (matrix - matrix.mean(0)).double()
    sizes, directions = torch.linalg.eigh(centred.T @ centred)
    points = centred @ directions.flip(-1)[:, :n]
    return points.float(), (sizes.flip(-1)[:n] / sizes.sum()).float()


@pytest.mark.parametrize("model", MODELS)
def test_token_and_position_add_up_to_what_enters_block_0(opened, model) -> None:
    at, bundle, ids, cache = opened(model)
    at.selectbox(key="token").set_value(3).run()
    W_E, rows = bundle.model.W_E.detach(), the_map(at, "sum strips")
    torch.testing.assert_close(rows[0], W_E[ids[3]])
    torch.testing.assert_close(rows[-1], cache["blocks.0.hook_resid_pre"][0, 3])
    torch.testing.assert_close(rows[:-1].sum(0), rows[-1], atol=1e-6, rtol=0)
    if model == "mirror-no-positions":
        assert len(rows) == 2
        assert any("no position vectors" in text for text in messages(at))
    else:
        torch.testing.assert_close(rows[1], bundle.model.W_pos.detach()[3])
    table = at.dataframe[0].value
    assert list(table.columns) == ["d_model", *"01234567"]
    torch.testing.assert_close(torch.tensor(table.iloc[:, 1:].to_numpy()).float(), rows[:, :8])


@pytest.mark.parametrize("model", MODELS)
def test_neighbours_and_likeness_are_cosines(opened, model) -> None:
    at, bundle, ids, _ = opened(model)
    at.selectbox(key="token").set_value(2).run()
    W_E = bundle.model.W_E.detach()
    cosines = [F.cosine_similarity(W_E[ids[2]], row, dim=0).item() for row in W_E]
    order = sorted(set(range(len(W_E))) - {int(ids[2])}, key=lambda i: -cosines[i])[:8]
    from pages._ui.components import shown as as_shown

    (nearest,) = bars(at, "neighbours").values()
    expected = torch.tensor([cosines[i] for i in order])
    torch.testing.assert_close(nearest, expected, atol=1e-6, rtol=0)
    names = header(at, "neighbours")["axis"]["labels"]
    assert sorted(names[:3]) == sorted(as_shown(bundle.tokenizer.str_tokens(order[:3])))
    matrix = the_map(at, "alike map")
    for i in range(len(ids)):
        for j in range(len(ids)):
            alike = F.cosine_similarity(W_E[ids[i]], W_E[ids[j]], dim=0)
            assert matrix[i, j].item() == pytest.approx(alike.item(), abs=1e-5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_points_are_principal_components_of_the_rows_on_screen(opened, model, dimensions) -> None:
    from pages._ui.components import shown

    at, bundle, ids, _ = opened(model)
    at.button_group(key="dimensions").set_value(f"{dimensions}D").run()
    W_E = bundle.model.W_E.detach()
    for extent, with_apart in (("", False), (ALL, False), (ALL, True)):
        if extent:
            at.button_group(key="extent").set_value(extent).run()
        if with_apart and model == "shakespeare":
            at.toggle(key="apart").set_value(True).run()
        seen = points_on(at, dimensions)
        rows = rows_on_screen(bundle, ids, extent, with_apart)
        assert seen.names == shown(bundle.tokenizer.str_tokens(rows))
        by_hand, shares = components_by_hand(W_E[rows], dimensions)
        torch.testing.assert_close(seen.at.abs(), by_hand.abs(), atol=2e-3, rtol=0)
        assert f"{shares.sum():.1%} of their variance" in said(at)
        assert seen.marked == [i for i, row in enumerate(rows) if row in set(ids.tolist())]


def rows_on_screen(bundle, ids, extent, with_apart) -> list[int]:
    """The prompt's tokens and four neighbours of each, or everyone; those apart on request."""
    from tfs.interp.outliers import group_apart

    W_E = bundle.model.W_E.detach()
    apart = set() if with_apart else set(group_apart(W_E)) - set(ids.tolist())
    if extent == ALL:
        return [i for i in range(len(W_E)) if i not in apart]
    rows = set(ids.tolist())
    hidden = set() if with_apart else set(group_apart(W_E))
    for token in set(ids.tolist()):
        cosines = F.cosine_similarity(W_E[token, None], W_E)
        near = [i for i in cosines.argsort(descending=True).tolist() if i != token]
        rows |= set([i for i in near if i not in hidden][:4])
    return sorted(rows)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("matrix", ["W_E, tokens", "W_pos, positions"])
def test_a_ring_is_around_the_locked_one(opened, dimensions, matrix) -> None:
    from pages._ui.components import shown

    at, bundle, ids, _ = opened("shakespeare", dimensions=f"{dimensions}D", matrix=matrix)
    for place in (2, 11):
        at.selectbox(key="token").set_value(place).run()
        seen = points_on(at, dimensions)
        (own,) = bundle.tokenizer.str_tokens([int(ids[place])])
        assert seen.names[seen.ring] == shown([str(place) if "pos" in matrix else own])[0]
        assert "the ring is around" in said(at)


def test_likeness_tells_repeated_tokens_apart_by_position(opened) -> None:
    from tests.pages.screen import drawn as figure_of
    from tests.pages.screen import open_code

    at, _, ids, _ = opened("shakespeare")
    open_code(at).toggle(key="alike shown").set_value(True).run()
    table = figure_of(at, "alike")["layout"]["meta"]["table"]
    assert (table["x"], table["y"]) == ("column", "row")


@pytest.mark.parametrize("place", [2, 5, 9, 25])
def test_rivals_of_the_nearest_are_of_its_sort(opened, place) -> None:
    from pages._ui.neighbours import sort_of

    at, bundle, ids, _ = opened("shakespeare")
    at.selectbox(key="token").set_value(place).run()
    W_E = bundle.model.W_E.detach()
    order = F.cosine_similarity(W_E[ids[place], None], W_E).argsort(descending=True).tolist()
    texts = bundle.tokenizer.str_tokens([i for i in order if i != ids[place]])
    options = [o.replace("\\", "") for o in at.button_group(key="predict nearest").options]
    assert len(options) == 4
    by_repr = {repr(text).replace("\\", ""): text for text in texts}
    assert {sort_of(by_repr[option]) for option in options} == {sort_of(texts[0])}


@pytest.mark.parametrize("model", ["shakespeare", "mirror"])
def test_positions_lie_on_a_line_from_the_first_to_the_last(opened, model) -> None:
    at, bundle, _, _ = opened(model)
    at.button_group(key="matrix").set_value("W_pos, positions").run()
    trace = drawn(at, "plane")["data"][0]
    assert "lines" in trace["mode"]
    points = torch.stack([as_tensor(trace[axis]) for axis in "xy"], -1)
    by_hand, _ = components_by_hand(bundle.model.W_pos.detach(), 2)
    torch.testing.assert_close(points.abs(), by_hand.abs(), atol=2e-3, rtol=0)


def test_a_model_without_positions_after_one_with_them(opened) -> None:
    at, *_ = opened("mirror")
    at.button_group(key="matrix").set_value("W_pos, positions").run()
    at.selectbox(key="model").set_value("mirror-no-positions").run()
    assert not at.exception and not at.error
    assert any("has no W_pos" in text for text in messages(at))
    assert drawn(at, "plane")


def test_the_group_that_stands_apart_is_told_about_in_true_numbers(opened) -> None:
    from tfs.interp.outliers import group_apart

    at, bundle, ids, cache = opened("shakespeare")
    W_E = bundle.model.W_E.detach()
    apart = group_apart(W_E)
    alike = F.cosine_similarity(W_E[apart][:, None], W_E[apart][None], dim=-1)
    mean = (alike.sum() - len(apart)) / (len(apart) * (len(apart) - 1))
    with torch.no_grad():
        most = bundle.model(ids[None])[0].softmax(-1)[:, apart].sum(-1).max()
    share = components_by_hand(W_E, 1)[1].item()
    for number in (f"{len(apart)} tokens", f"{mean:.3f}", f"{100 * most:.2g}%", f"{share:.1%}"):
        assert number in said(at), number
    assert "stand apart" not in said(opened("mirror")[0])


def test_those_who_stand_apart_are_the_tokens_that_training_never_met() -> None:
    import tfs
    from tfs.interp.outliers import group_apart

    text = Path(os.environ.get("TFS_DATA_DIR", ""), "tinyshakespeare.txt")
    if not text.is_file():
        pytest.skip("TFS_DATA_DIR does not hold it")
    bundle = tfs.load("shakespeare")
    seen = Counter(bundle.tokenizer.encode(text.read_text()))
    never = [token for token in range(len(bundle.model.W_E)) if not seen[token]]
    assert group_apart(bundle.model.W_E) == never


@pytest.mark.parametrize("model", MODELS)
def test_the_question_is_graded_by_the_weights(opened, model) -> None:
    at, bundle, ids, _ = opened(model, ask="true")
    assert not bars(at, "neighbours")
    W_E = bundle.model.W_E.detach()
    cosines = F.cosine_similarity(W_E[ids[-1], None], W_E)
    cosines[ids[-1]] = -2
    (nearest,) = bundle.tokenizer.str_tokens([int(cosines.argmax())])
    at.button_group(key="predict nearest").set_value(repr(nearest)).run()
    assert len(at.success) == 1 and f"{cosines.max():.3f}" in at.success[0].value
    assert bars(at, "neighbours")
    at.selectbox(key="token").set_value(0).run()
    assert not at.exception


@pytest.mark.parametrize("prompt", ODD)
@pytest.mark.parametrize("extent", ["", ALL])
def test_odd_prompts(opened, prompt, extent) -> None:
    at, _, ids, _ = opened("shakespeare", prompt=prompt.strip(), dimensions="3D")
    if extent:
        at.button_group(key="extent").set_value(extent).run()
    assert not at.exception and not at.error
    assert the_map(at, "alike map").shape == (len(ids), len(ids))
    assert "<b>" not in said(at).replace("\\<b\\>", "")


def test_one_token_of_a_small_vocabulary(opened) -> None:
    at, *_ = opened("mirror", prompt="5")
    assert drawn(at, "plane") and len(the_map(at, "alike map")) == 1


def test_figures_stay_light(opened) -> None:
    at, *_ = opened("shakespeare", prompt="a b " * 31, dimensions="3D")
    at.button_group(key="extent").set_value(ALL).run()
    assert sum(len(chart.proto.spec) for chart in at.get("plotly_chart")) < 300_000


def test_the_choice_of_positions_comes_back_with_a_model_that_has_some(opened) -> None:
    at, *_ = opened("mirror", matrix="W_pos, positions")
    for name, chosen in (("mirror-no-positions", "W_E, tokens"), ("mirror", "W_pos, positions")):
        at.selectbox(key="model").set_value(name).run()
        assert not at.exception and at.button_group(key="matrix").value == chosen
        at.run()
        assert at.button_group(key="matrix").value == chosen
    at.button_group(key="matrix").set_value("W_E, tokens").run()
    at.selectbox(key="model").set_value("shakespeare").run()
    assert at.button_group(key="matrix").value == "W_E, tokens"
