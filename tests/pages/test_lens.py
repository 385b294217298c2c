"""The logit lens: which positions are in view, and what its bars stand for."""

import pytest
import torch

from tests.pages.screen import as_tensor, drawn, said

PAGE = "pages/inspect/lens.py"
MODELS = ["shakespeare", "induction", "mirror", "mirror-no-positions"]
LONG = " ".join("ab" * 20)  # 40 tokens


def in_view(at) -> tuple[float, float]:
    """The first and the last position that the figure shows."""
    low, high = drawn(at, "lens")["layout"]["xaxis"]["range"]
    return low + 0.5, high - 0.5


@pytest.fixture
def opened(visit):
    """opened(model, token, **query) -> the page, with this token locked when it opens."""

    def open_page(name="shakespeare", token=None, **query):
        at = visit("pages/start/home.py", model=name, **query)
        if token is not None:  # as a part of the map on Home brings it along
            at.session_state["arrive with"] = {"token": token}
        at.switch_page(PAGE).run()
        assert not at.exception and not at.error
        return at

    return open_page


def test_it_opens_at_the_end_of_the_prompt(opened) -> None:
    at = opened()
    assert "12 of the 26 positions" in said(at)
    assert in_view(at) == (14, 25)


def test_a_view_of_the_end_stays_one(opened) -> None:
    at = opened()
    for room, first in ((24, 2), (6, 20), (12, 14)):
        at.button_group(key="room").set_value(room).run()
        assert in_view(at) == (first, 25) and not at.exception
    at.text_area(key="prompt").set_value(LONG).run()
    assert in_view(at) == (28, 39)
    at.text_area(key="prompt").set_value("a b c").run()
    assert in_view(at) == (0, 2)


def test_where_the_reader_moved_to_stays_in_view(opened) -> None:
    at = opened()
    at.slider(key="from").set_value(3).run()
    assert in_view(at) == (3, 14)
    at.button_group(key="room").set_value(24).run()
    assert in_view(at) == (2, 25), "at most so far that no place stays empty"
    at.slider(key="from").set_value(1).run()
    at.button_group(key="room").set_value(12).run()
    assert in_view(at) == (1, 12)


def test_a_link_says_where_to_begin(opened) -> None:
    assert in_view(opened(**{"from": "3"})) == (3, 14)
    assert in_view(opened(token=20, **{"from": "3"})) == (3, 14)


@pytest.mark.parametrize(
    ("token", "view"), [(0, (0, 11)), (10, (4, 15)), (25, (14, 25)), (99, (14, 25))]
)
def test_a_locked_token_is_in_view_and_framed(opened, token, view) -> None:
    at = opened(token=token)
    assert in_view(at) == view
    shapes = drawn(at, "lens")["layout"].get("shapes", [])
    assert [shape["x0"] for shape in shapes] == ([] if token == 99 else [token - 0.5])


def test_a_token_locked_later_comes_into_view_and_only_then(opened) -> None:
    at = opened()
    at.selectbox(key="token").set_value(5).run()
    assert in_view(at) == (0, 11)
    at.selectbox(key="token").set_value(8).run()
    assert in_view(at) == (0, 11), "it was in view"
    at.slider(key="from").set_value(14).run()
    assert in_view(at) == (14, 25), "the reader may look elsewhere"


@pytest.mark.parametrize("token", [None, 4])
@pytest.mark.parametrize("name", MODELS)
def test_the_bar_of_the_bias_is_what_the_sentence_says(opened, name, token) -> None:
    import tfs

    at = opened(name, token)
    bundle = tfs.load(name)
    model, ids = bundle.model, bundle.tokenizer.encode(at.session_state["prompt"])
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0]
    place = len(ids) - 1 if token is None else token
    answer = int(logits[place].argmax())
    bars = drawn(at, "attribution")["data"][0]
    shares = as_tensor(bars["x"])
    bias = (model.ln_final.b @ model.W_U[:, answer]).item()
    assert "at every position: the final norm's b, read through W_U" in said(at)
    assert ("b_U of" in said(at)) != model.cfg.tie_word_embeddings
    if not model.cfg.tie_word_embeddings:
        bias += model.b_U[answer].item()
    assert shares[-1].item() == pytest.approx(bias, abs=1e-4)
    assert shares.sum().item() == pytest.approx(logits[place, answer].item(), abs=1e-3)
    assert f"after position {place}, " in said(at)
    assert "0_b_O" not in said(at)
    at.button_group(key="by").set_value("head").run()
    assert "0_b_O is the bias" in said(at)
