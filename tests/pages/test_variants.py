"""The pages on models that differ in their parts, as an experiment leaves them behind."""

import pytest
import torch

from tests.pages.screen import maps, messages, said, the_map

RUN = "run-0123456789abcdef"
PAGES = [
    "pages/start/home.py",
    *(f"pages/read/{name}.py" for name in ("embeddings", "positions", "masks", "attention")),
    *("pages/read/block.py", "pages/read/output.py", "pages/inspect/lens.py"),
]
FIXED = {"positional_embedding_type": "sinusoidal"}
VARIANTS = [FIXED, {"attention_dir": "bidirectional"}, {"use_residual": False}]


@pytest.fixture
def lab_model(tiny_config, randomised, tmp_path):
    """lab_model(**fields) -> a model, saved where the pages of this test look for runs."""
    import tfs
    from tfs.tokenizers import IntegerTokenizer

    def make(**fields):
        model = randomised(tiny_config(d_vocab=100, n_ctx=16, **fields)).requires_grad_(False)
        tfs.save(tfs.Bundle(model, IntegerTokenizer(100), "# a variant"), tmp_path / RUN)
        return model

    return make


@pytest.mark.parametrize("fields", VARIANTS, ids=str)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_takes_it(visit, lab_model, page, fields) -> None:
    lab_model(**fields)
    at = visit(page, model=RUN)
    assert not at.exception and not at.error
    assert at.session_state["model"] == RUN


def test_fixed_positions_are_shown_as_the_models_own(visit, lab_model) -> None:
    model = lab_model(**FIXED)
    at = visit("pages/read/positions.py", model=RUN)
    assert at.session_state["kind"] == "sinusoidal"
    assert "What this model was trained with." in said(at)
    torch.testing.assert_close(the_map(at, "vectors map"), model.W_pos, atol=1e-5, rtol=0)
    at.button_group(key="kind").set_value("learned").run()
    assert any("with fixed positions: it learned no W_pos" in text for text in messages(at))


def test_a_bidirectional_pattern_has_weight_on_both_sides(visit, lab_model) -> None:
    model = lab_model(attention_dir="bidirectional")
    at = visit("pages/read/attention.py", model=RUN, prompt="1 2 3 4 5", layer="1")
    _, cache = model.run_with_cache(torch.tensor([[1, 2, 3, 4, 5]]))
    (weights,) = (cells for title, cells in maps(at, "large").items() if "weight" in title)
    torch.testing.assert_close(weights, cache["pattern", 1][0, 0], atol=1e-5, rtol=0)
    assert (weights > 0).all()
