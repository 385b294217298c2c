import pytest
import torch


@pytest.fixture(scope="module")
def model(tiny_config, randomised):
    return randomised(tiny_config())


@pytest.fixture(scope="module")
def tokens(model, tokens_for):
    return tokens_for(model.cfg)


@pytest.mark.parametrize(
    ("names_filter", "cached"),
    [
        ("blocks.1.attn.hook_z", ["blocks.1.attn.hook_z"]),
        (["unembed.hook_out", "hook_embed"], ["hook_embed", "unembed.hook_out"]),
        (("hook_embed",), ["hook_embed"]),
        ([], []),
        (
            lambda name: name.endswith("pattern"),
            ["blocks.0.attn.hook_pattern", "blocks.1.attn.hook_pattern"],
        ),
        (lambda name: False, []),
    ],
)
def test_names_filter_chooses_what_is_cached(model, tokens, names_filter, cached):
    logits, cache = model.run_with_cache(tokens, names_filter=names_filter)
    _, everything = model.run_with_cache(tokens)
    assert list(cache) == cached
    torch.testing.assert_close(logits, model(tokens))
    for name, tensor in cache.items():
        torch.testing.assert_close(tensor, everything[name])


@pytest.mark.parametrize(
    "names_filter", ["blocks.0.attn.hook_zz", ["hook_embed", "blocks.0.attn.hook_zz"]]
)
def test_an_unknown_name_is_refused_with_a_hint(model, tokens, names_filter):
    with pytest.raises(
        ValueError, match=r"'blocks.0.attn.hook_zz'; did you mean blocks.0.attn.hook_z\?"
    ):
        model.run_with_cache(tokens, names_filter=names_filter)


@pytest.mark.parametrize(
    ("stop", "name"),
    [
        (0, "blocks.0.hook_resid_pre"),
        (1, "blocks.1.hook_resid_pre"),
        (-1, "blocks.1.hook_resid_pre"),
        (2, "blocks.1.hook_resid_post"),
    ],
)
def test_stop_at_layer_returns_the_stream_before_it(model, tokens, stop, name):
    resid, cache = model.run_with_cache(tokens, stop_at_layer=stop)
    torch.testing.assert_close(resid, model.run_with_cache(tokens)[1][name])
    layers = {cached.split(".")[1] for cached in cache if cached.startswith("blocks")}
    assert layers == {str(layer) for layer in range(stop % 2 if stop < 0 else stop)}
    assert not any(cached.startswith(("ln_final", "unembed")) for cached in cache)


def test_remove_batch_dim(model, tokens):
    logits, cache = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    _, with_batch = model.run_with_cache(tokens[:1])
    assert logits.shape[0] == 1 and not cache.has_batch_dim
    for name in with_batch:
        torch.testing.assert_close(cache[name], with_batch[name][0])
    assert cache.remove_batch_dim()["z", 0].shape == with_batch["z", 0].shape[1:]


def test_remove_batch_dim_needs_a_batch_of_one(model, tokens):
    with pytest.raises(ValueError, match="here it is 2"):
        model.run_with_cache(tokens, remove_batch_dim=True)


def test_the_cache_sees_what_an_outer_hook_left(model, tokens):
    with model.hooks([("blocks.0.attn.hook_z", lambda z, hook: z * 0)]):
        _, cache = model.run_with_cache(tokens)
    assert cache["z", 0].count_nonzero() == 0


def test_the_cache_is_cut_off_from_the_graph(model, tokens):
    logits, cache = model.run_with_cache(tokens)
    assert logits.requires_grad
    assert not any(tensor.requires_grad for tensor in cache.values())
