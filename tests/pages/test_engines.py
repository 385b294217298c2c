"""The page of three engines: every figure is a difference that was computed, at every hook."""

import numpy as np
import pytest
import torch

from tests.pages.screen import said

PAGE = "pages/numpy_up/engines.py"


def rows(at):
    return {row["hook"]: row for row in at.dataframe[0].value.to_dict("records")}


@pytest.mark.parametrize(("precision", "limit"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("model", ["mirror", "induction"])
def test_numpy_is_torch_at_every_hook(visit, model, precision, limit) -> None:
    import tfs

    at = visit(PAGE, model=model, precision=precision)
    assert not at.exception and not at.info
    found = rows(at)
    hooks = [name for name in tfs.load(model).model.hook_dict if "result" not in name]
    assert set(found) == {*hooks, "logits"}
    for name, row in found.items():
        size = max(1.0, float(row["largest number"]))
        assert float(row["numpy differs by"]) <= limit * size, name


def test_the_differences_are_those_of_the_two_runs(visit, run) -> None:
    from tfs import numpy_engine

    prompt = "5 3 9 2"
    at = visit(PAGE, model="mirror", prompt=prompt)
    model, _, ids, logits = run("mirror", prompt)
    twin = numpy_engine.load("assets/checkpoints/mirror")
    value = twin(numpy_engine.Tensor(np.array([ids]))).data[0]
    assert float(rows(at)["logits"]["numpy differs by"]) == pytest.approx(
        np.abs(value - logits.numpy()).max(), abs=2e-5
    )
    with torch.inference_mode():
        _, cache = model.run_with_cache(torch.tensor([ids]))
    pattern = rows(at)["blocks.0.attn.hook_pattern"]
    assert pattern["shape"] == str(list(cache["pattern", 0].shape))


@pytest.mark.slow
def test_hooked_transformer_stands_beside_them(visit) -> None:
    at = visit(PAGE, model="mirror", hooked="true", precision="float64")
    assert not at.exception and "HookedTransformer** has" in said(at)
    for row in rows(at).values():
        assert float(row["HookedTransformer differs by"]) < 1e-10


def test_a_model_that_numpy_cannot_do_is_one_sentence(visit, tmp_path) -> None:
    import tfs
    from tfs.tokenizers import CharTokenizer

    tokenizer = CharTokenizer.train("hello")
    cfg = tfs.TransformerConfig(
        n_layers=1, d_model=8, n_ctx=16, d_head=4, d_vocab=tokenizer.d_vocab,
        positional_embedding_type="rotary", rotary_dim=4,
    )  # fmt: skip
    name = "0123456789abcdef"
    tfs.save(tfs.Bundle(tfs.DecoderOnly(cfg), tokenizer, "# rotary\n"), tmp_path / name)
    at = visit(PAGE, model=name, prompt="hell")
    assert not at.exception
    (told,) = at.info
    assert "numpy cannot be this model" in told.value and "rotary" in told.value


def test_where_masks_or_shapes_differ_the_difference_is_infinite() -> None:
    from tfs.interop.engines import largest_differences

    a = {"x": np.array([1.0, -np.inf]), "y": np.zeros(2), "z": np.ones(3), "only": np.ones(1)}
    b = {"x": np.array([1.0, 0.0]), "y": np.zeros(3), "z": np.array([1, 1.5, 0.75])}
    assert largest_differences(a, b) == {"x": np.inf, "y": np.inf, "z": 0.5}
