import warnings

import pytest
import torch


@pytest.mark.parametrize("fields", [{}, {"use_attn_scale": False}, {"attn_scale": 3.0}], ids=str)
def test_masked_scores_and_their_softmax_are_what_the_run_used(interp, either, fields):
    model, tokens, _, cache = either(**fields)
    pos = tokens.shape[1]
    hidden = ~torch.ones(pos, pos).tril().bool()
    for layer in range(2):
        scores, masked, pattern = interp.attention_steps(model, cache, layer)
        assert scores.isfinite().all()
        by_hand = scores.masked_fill(hidden, -torch.inf)
        torch.testing.assert_close(masked, by_hand, atol=1e-5, rtol=0)
        torch.testing.assert_close(by_hand.softmax(-1), pattern, atol=1e-5, rtol=0)
        torch.testing.assert_close(pattern, cache["pattern", layer])


def test_without_batch(interp, either):
    model, tokens, _, _ = either()
    _, cache = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    assert interp.attention_steps(model, cache, 0).scores.shape == (3, 8, 8)


@pytest.fixture(
    params=[{"n_key_value_heads": 2}, {"scale_attn_by_inverse_layer_idx": True}], ids=str
)
def unlike_ours(request, tiny_config, tokens_for):
    """A HookedTransformer with attention that no model of ours has, and a cache of it."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    fields = tiny_config(n_heads=4).hooked_fields() | {"initializer_range": 0.3} | request.param
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "HookedTransformer is deprecated")
        model = HookedTransformer(HookedTransformerConfig(**fields, device="cpu"))
    return model, model.run_with_cache(tokens_for(tiny_config()))[1]


def test_shared_keys_and_scales_of_a_layer(interp, unlike_ours):
    model, cache = unlike_ours
    assert cache["k", 1].shape[-2] == (model.cfg.n_key_value_heads or 4)
    scores, masked, pattern = interp.attention_steps(model, cache, 1)
    seen = masked.isfinite()
    torch.testing.assert_close(scores[seen], masked[seen], atol=1e-5, rtol=0)
    for head in range(4):
        road = interp.attention_road(model, cache, 1, head, 6)
        torch.testing.assert_close(road.scaled, scores[:, head, 6], atol=1e-5, rtol=0)
        torch.testing.assert_close(road.z, cache["z", 1][:, 6, head], atol=1e-5, rtol=0)
        products = interp.qk_products(model, cache, 1, head, 6, 3)
        torch.testing.assert_close(products.sum(-1), scores[:, head, 6, 3], atol=1e-5, rtol=0)
        lengths = (road.v @ model.W_O[1, head]).norm(dim=-1).detach()
        weighted = interp.value_weighted(model, cache, 1)[:, head, 6]
        torch.testing.assert_close(weighted, pattern[:, head, 6] * lengths, atol=1e-5, rtol=0)


def test_products_sum_to_every_score_of_the_table(interp, either):
    model, tokens, _, cache = either(attn_scale=3.0)
    scores = interp.attention_steps(model, cache, 1).scores
    for query in range(8):
        for key in range(8):
            products = interp.qk_products(model, cache, 1, 2, query, key)
            by_hand = [
                [cache["q", 1][b, query, 2, i] * cache["k", 1][b, key, 2, i] / 3 for i in range(5)]
                for b in range(2)
            ]
            torch.testing.assert_close(products, torch.tensor(by_hand), atol=1e-5, rtol=0)
            cell = scores[:, 2, query, key]
            torch.testing.assert_close(products.sum(-1), cell, atol=1e-5, rtol=0)
    with pytest.raises(IndexError):
        interp.qk_products(model, cache, 1, 2, 8, 0)


def test_without_the_first_token_the_others_share_the_weight(interp, either):
    model, _, _, cache = either()
    pattern = cache["pattern", 0]
    hidden = interp.hide_first_token(pattern)
    assert hidden[..., 0].count_nonzero() == 0
    for query in range(8):
        rest = [pattern[..., query, key] for key in range(1, 8)]
        for key in range(1, 8):
            share = pattern[..., query, key] / sum(rest) if query else torch.zeros(2, 3)
            torch.testing.assert_close(hidden[..., query, key], share, atol=1e-5, rtol=0)
    assert pattern[..., 0, 0].eq(1).all()  # the cache itself is as it was


def test_a_row_that_saw_only_the_first_token_becomes_zeros(interp):
    pattern = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.2, 0.3]])
    torch.testing.assert_close(
        interp.hide_first_token(pattern),
        torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.4, 0.6]]),
    )


def test_value_weighted_is_the_length_of_each_summand(interp, either):
    model, tokens, _, cache = either()
    weighted = interp.value_weighted(model, cache, 1)
    assert weighted.shape == (2, 3, 8, 8)
    W_O = model.W_O[1].detach()
    for head in range(3):
        for query in range(8):
            for key in range(8):
                weight = cache["pattern", 1][:, head, query, key]
                summand = weight[:, None] * (cache["v", 1][:, key, head] @ W_O[head])
                length = summand.square().sum(-1).sqrt()
                cell = weighted[:, head, query, key]
                torch.testing.assert_close(cell, length, atol=1e-5, rtol=0)
    _, single = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    without_batch = interp.value_weighted(model, single, 1)
    torch.testing.assert_close(without_batch, weighted[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("fields", [{}, {"use_attn_scale": False}, {"attn_only": True}], ids=str)
def test_the_roads_of_all_heads_meet_in_attn_out(interp, either, fields):
    model, _, _, cache = either(**fields)
    for layer in range(2):
        steps = interp.attention_steps(model, cache, layer)
        for query in range(8):
            roads = [interp.attention_road(model, cache, layer, head, query) for head in range(3)]
            for head, road in enumerate(roads):
                at = (slice(None), head, query)
                torch.testing.assert_close(road.scaled, steps.scores[at], atol=1e-5, rtol=0)
                torch.testing.assert_close(road.masked, steps.masked[at])
                torch.testing.assert_close(road.masked.softmax(-1), road.weights)
                z = cache["z", layer][:, query, head]
                torch.testing.assert_close(road.z, z, atol=1e-5, rtol=0)
                raw = (road.k * road.q[:, None]).sum(-1)
                torch.testing.assert_close(road.raw, raw, atol=1e-5, rtol=0)
            written = sum(road.result for road in roads) + model.blocks[layer].attn.b_O.detach()
            attn_out = cache["attn_out", layer][:, query]
            torch.testing.assert_close(written, attn_out, atol=1e-5, rtol=0)
    assert not roads[0].result.requires_grad


def test_a_road_without_batch(interp, either):
    model, tokens, _, cache = either()
    _, single = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    road = interp.attention_road(model, single, 1, 2, 5)
    assert [tuple(step.shape) for step in road] == [
        *((5,), (8, 5), (8,), (8,), (8,), (8,), (8, 5), (5,), (12,)),
    ]
    with_batch = interp.attention_road(model, cache, 1, 2, 5).result[0]
    torch.testing.assert_close(road.result, with_batch, atol=1e-5, rtol=0)
    for place in ((2, 0, 0), (0, 3, 0), (0, 0, 8)):
        with pytest.raises(IndexError):
            interp.attention_road(model, single, *place)
