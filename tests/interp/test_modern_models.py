"""Questions asked of modern decoders: shared keys, rotary, ALiBi, caps, windows, RMS, experts."""

import pytest
import torch

KINDS = {
    "llama": {
        "normalization_type": "RMS",
        "positional_embedding_type": "rotary",
        "gated_mlp": True,
        "n_key_value_heads": 2,
    },
    "partly rotary": {"positional_embedding_type": "rotary", "rotary_dim": 2},
    "alibi": {"positional_embedding_type": "alibi", "n_key_value_heads": 1},
    "capped": {
        "normalization_type": "RMSPre",
        "attn_scores_soft_cap": 0.5,
        "output_logits_soft_cap": 1.0,
    },
    "local": {"use_local_attn": True, "window_size": 2, "attn_types": ("local", "global")},
    "parallel": {"parallel_attn_mlp": True, "normalization_type": "RMS"},
    "experts": {"num_experts": 3, "experts_per_token": 2, "norm_topk_prob": True},
}


@pytest.fixture(params=KINDS)
def run(request, tiny_config, randomised, tokens_for):
    """A model, its logits and its cache, of every kind."""
    cfg = tiny_config(**({"n_heads": 4, "d_head": 6} | KINDS[request.param]))
    model, tokens = randomised(cfg).requires_grad_(False), tokens_for(cfg)
    return model, tokens, *model.run_with_cache(tokens)


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_scores_of_all_pairs_are_those_of_the_run_where_it_saw_them(run):
    from tfs.interp import attention_steps

    model, _, _, cache = run
    for layer in range(2):
        steps = attention_steps(model, cache, layer)
        seen = steps.masked > -torch.inf
        assert_close(steps.scores[seen], steps.masked[seen])
        assert torch.isfinite(steps.scores).all()
        assert_close(steps.masked.softmax(-1), steps.pattern)


def test_the_road_of_a_head_leads_to_what_the_layer_writes(run):
    from tfs.interp import attention_road, qk_products

    model, _, _, cache = run
    roads = [attention_road(model, cache, 1, head, 5) for head in range(4)]
    written = sum(road.result for road in roads) + model.blocks[1].attn.b_O
    assert_close(written, cache["attn_out", 1][:, 5])
    products = qk_products(model, cache, 1, 3, 5, 2)
    assert_close(products.sum(-1), roads[3].scaled[..., 2])


def test_shares_of_a_logit_add_up_before_its_cap(run):
    from tfs.interp import direct_logit_attribution

    model, _, _, cache = run
    for by in ("component", "head"):
        shares, _ = direct_logit_attribution(model, cache, 3, by=by)
        assert_close(shares.sum(0), cache["unembed.hook_out"][..., 3])


def test_the_lens_ends_at_the_logits(run):
    from tfs.interp import lens_labels, logit_lens

    model, _, logits, cache = run
    for incl_mid in (False, True):
        rows = logit_lens(model, cache, incl_mid=incl_mid)
        assert len(rows) == len(lens_labels(model, incl_mid=incl_mid))
        assert_close(rows[-1], logits)


def test_a_neuron_of_an_mlp_has_its_share_of_a_logit(run):
    from tfs.interp import neuron_promotes

    model, _, _, _ = run
    if model.cfg.num_experts:
        with pytest.raises(ValueError, match="this layer has 3 experts instead of one MLP"):
            neuron_promotes(model, 0, 1)
        return
    tokens = neuron_promotes(model, 0, 1, k=11)
    row = model.blocks[0].mlp.W_out[1]
    if model.cfg.normalization_type == "LN":
        row = row - row.mean()
    row = row * model.ln_final.w if hasattr(model.ln_final, "w") else row
    assert_close(tokens.promoted, (row @ model.W_U).sort(descending=True).values)


def test_the_stream_is_the_sum_of_its_parts(run):
    model, _, _, cache = run
    for layer in range(3):
        last = cache["resid_post", 1] if layer == 2 else cache["resid_pre", layer]
        assert_close(cache.decompose_resid(layer).sum(0), last)
    before_mlp = cache.decompose_resid(1, mlp_input=True).sum(0)
    in_parallel = model.cfg.parallel_attn_mlp
    assert_close(before_mlp, cache["resid_pre" if in_parallel else "resid_mid", 1])


def test_a_cache_of_one_sequence_loses_its_batch_axis(run):
    model, tokens, _, cache = run
    alone = model.run_with_cache(tokens[:1], remove_batch_dim=True)[1]
    for name, activation in model.run_with_cache(tokens[:1])[1].items():
        expected = activation if "expert" in name else activation[0]
        assert torch.equal(alone[name], expected), name


def test_the_models_own_mask_changes_nothing(run):
    from tfs.interp import causal, run_with_mask

    model, tokens, logits, _ = run
    if model.cfg.positional_embedding_type in ("rotary", "alibi"):
        with pytest.raises(ValueError, match="positions must be"):
            run_with_mask(model, tokens, causal(8))
    elif not model.cfg.use_local_attn:
        assert_close(run_with_mask(model, tokens, causal(8)), logits)
