"""The cache's methods against TransformerLens's, and the sums that must hold."""

import pytest
import torch

VARIANTS = {
    "LN": {},
    "LN, batch removed": {},
    "LNPre, results": {"normalization_type": "LNPre", "use_attn_result": True},
    "no norm": {"normalization_type": None},
    "attn only": {"attn_only": True},
}
MLP_INPUT = {"mlp_input": True}
INCL_MID = {"incl_mid": True}


@pytest.fixture(scope="module", params=[*VARIANTS])
def caches(request, tiny_config, model_and_reference, tokens_for):
    """Ours and TransformerLens's, of the same run."""
    cfg = tiny_config(n_layers=3, dtype=torch.float64, **VARIANTS[request.param])
    removed = "removed" in request.param
    tokens = tokens_for(cfg, batch=1 if removed else 2)
    runs = (
        each.run_with_cache(tokens, remove_batch_dim=removed) for each in model_and_reference(cfg)
    )
    return tuple(cache for _, cache in runs)


def needs_mlp(cache):
    if cache.model.cfg.attn_only:
        pytest.skip("there is no MLP")


def assert_same(caches, method, *args, **kwargs):
    ours, theirs = (getattr(cache, method)(*args, **kwargs) for cache in caches)
    if kwargs.get("return_labels"):
        assert ours[1] == theirs[1]
        ours, theirs = ours[0], theirs[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_indexing(caches):
    ours, theirs = caches
    for key in ("embed", "k1", ("pattern", 0), ("z", -1), ("resid_post", 2), "unembed.hook_out"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-10, atol=1e-10)
    assert len(ours) == len(theirs) and list(ours.keys()) == list(theirs.keys())
    assert "hook_embed" in ours and "hook_nothing" not in ours


def test_a_missing_name_says_what_was_cached(caches):
    with pytest.raises(
        KeyError, match="blocks.7.attn.hook_z was not cached; this run cached: hook_emb"
    ):
        caches[0]["z", 7]


@pytest.mark.parametrize("name", ["z", "resid_pre", "pattern", "attn_out"])
@pytest.mark.parametrize("layer", [None, -1, 1, 3])
def test_stack_activation(caches, name, layer):
    assert_same(caches, "stack_activation", name, layer)


@pytest.mark.parametrize("apply_ln", [False, True])
@pytest.mark.parametrize("layer", [None, -1, 0, 1, 3])
def test_accumulated_resid(caches, layer, apply_ln):
    assert_same(caches, "accumulated_resid", layer, apply_ln=apply_ln, return_labels=True)


@pytest.mark.parametrize("apply_ln", [False, True])
@pytest.mark.parametrize(
    ("layer", "more"),
    [(None, INCL_MID), (2, INCL_MID), (0, MLP_INPUT), (1, MLP_INPUT), (1, INCL_MID | MLP_INPUT)],
)
def test_accumulated_resid_around_the_mlp(caches, layer, more, apply_ln):
    needs_mlp(caches[0])
    assert_same(caches, "accumulated_resid", layer, apply_ln=apply_ln, return_labels=True, **more)


@pytest.mark.parametrize("layer", [None, 1, 2])
@pytest.mark.parametrize("mode", ["all", "attn", "mlp"])
@pytest.mark.parametrize("incl_embeds", [True, False])
@pytest.mark.parametrize("apply_ln", [False, True])
def test_decompose_resid(caches, layer, mode, incl_embeds, apply_ln):
    if mode == "mlp" and not incl_embeds:
        needs_mlp(caches[0])
    more = {"mode": mode, "incl_embeds": incl_embeds, "apply_ln": apply_ln, "return_labels": True}
    assert_same(caches, "decompose_resid", layer, **more)


@pytest.mark.parametrize("mode", ["all", "attn", "mlp"])
@pytest.mark.parametrize("apply_ln", [False, True])
def test_decompose_resid_before_the_mlp(caches, mode, apply_ln):
    needs_mlp(caches[0])
    more = {"mlp_input": True, "mode": mode, "apply_ln": apply_ln, "return_labels": True}
    assert_same(caches, "decompose_resid", 1, **more)


def test_decompose_resid_refuses_another_mode(caches):
    with pytest.raises(ValueError, match="not 'heads'"):
        caches[0].decompose_resid(mode="heads")


@pytest.mark.parametrize("layer", [None, 1, 3])
@pytest.mark.parametrize("incl_remainder", [False, True])
@pytest.mark.parametrize("apply_ln", [False, True])
def test_stack_head_results(caches, layer, incl_remainder, apply_ln):
    more = {"incl_remainder": incl_remainder, "apply_ln": apply_ln, "return_labels": True}
    assert_same(caches, "stack_head_results", layer, **more)


def test_no_head_comes_before_layer_0(caches):
    with pytest.raises(ValueError, match="layer 0"):
        caches[0].stack_head_results(0)


@pytest.mark.parametrize(
    ("layer", "mlp_input", "recompute_ln"),
    [
        *[
            (layer, False, recompute)
            for layer in (None, -1, 0, 2, 3)
            for recompute in (False, True)
        ],
        *[(layer, True, False) for layer in (0, 2)],
    ],
)
def test_apply_ln_to_stack(caches, layer, mlp_input, recompute_ln):
    if mlp_input:
        needs_mlp(caches[0])
    ours, theirs = caches
    stack = ours.decompose_resid()
    got = ours.apply_ln_to_stack(stack, layer, mlp_input, recompute_ln)
    has_batch_dim = theirs.has_batch_dim
    expected = theirs.apply_ln_to_stack(
        stack, layer, mlp_input, has_batch_dim=has_batch_dim, recompute_ln=recompute_ln
    )
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("layer", [-2, 4])
def test_a_layer_outside_the_model_is_refused(caches, layer):
    with pytest.raises(ValueError, match=f"0 ... 3, the end of the model, not {layer}"):
        caches[0].accumulated_resid(layer)


@pytest.mark.parametrize(
    ("tokens", "incorrect"), [(3, None), (3, 5), (torch.tensor(3), torch.tensor(0))]
)
def test_logit_attrs_of_one_token(caches, tokens, incorrect):
    stack = caches[0].decompose_resid()
    more = {} if caches[0].has_batch_dim else {"has_batch_dim": False}
    expected = caches[1].logit_attrs(stack, tokens, incorrect_tokens=incorrect, **more)
    got = caches[0].logit_attrs(stack, tokens, incorrect)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("incorrect", [None, torch.tensor([1, 1])])
def test_logit_attrs_of_a_token_per_sequence_or_per_position(caches, incorrect):
    ours, theirs = caches
    if not ours.has_batch_dim:
        pytest.skip("there are no sequences")
    stack, tokens = ours.stack_head_results(incl_remainder=True), torch.tensor([2, 7])
    everywhere = [None if t is None else t[:, None].expand(2, 8) for t in (tokens, incorrect)]
    expected = theirs.logit_attrs(stack, everywhere[0], incorrect_tokens=everywhere[1])
    for asked in ((tokens, incorrect), everywhere):
        torch.testing.assert_close(
            ours.logit_attrs(stack, *asked), expected, rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_decomposed_parts_sum_to_the_stream(caches, layer):
    cache = caches[0]
    stream = cache["resid_pre", layer] if layer < 3 else cache["resid_post", 2]
    torch.testing.assert_close(cache.decompose_resid(layer).sum(0), stream)
    if layer:
        rows = cache.stack_head_results(layer, incl_remainder=True)
        torch.testing.assert_close(rows.sum(0), stream)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_head_results_and_their_bias_sum_to_attn_out(caches, layer):
    cache, n_heads = caches[0], caches[0].model.cfg.n_heads
    heads = cache.stack_head_results(layer + 1)[-n_heads:]
    b_O = cache.model.blocks[layer].attn.b_O
    torch.testing.assert_close(heads.sum(0) + b_O, cache["attn_out", layer])


def test_the_last_accumulated_stream_unembeds_to_the_logits(caches):
    cache = caches[0]
    last = cache.accumulated_resid(apply_ln=True)[-1]
    logits = last @ cache.model.W_U + cache.model.b_U
    torch.testing.assert_close(logits, cache["unembed.hook_out"])


def test_attributions_and_bias_sum_to_the_logit(tiny_config, randomised, tokens_for):
    cfg = tiny_config(normalization_type="LNPre", dtype=torch.float64)
    model = randomised(cfg)
    logits, cache = model.run_with_cache(tokens_for(cfg))
    attributions = cache.logit_attrs(cache.decompose_resid(), 4)
    torch.testing.assert_close(attributions.sum(0) + model.b_U[4], logits[..., 4])
