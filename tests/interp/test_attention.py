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


def test_shared_keys_are_repeated_for_their_group(interp, tiny_config, tokens_for):
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    fields = vars(tiny_config(n_heads=4)) | {"n_key_value_heads": 2, "initializer_range": 0.3}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "HookedTransformer is deprecated")
        model = HookedTransformer(HookedTransformerConfig(**fields, device="cpu"))
    _, cache = model.run_with_cache(tokens_for(tiny_config()))
    scores, masked, _ = interp.attention_steps(model, cache, 1)
    assert cache["k", 1].shape[-2] == 2
    seen = masked.isfinite()
    torch.testing.assert_close(scores[seen], masked[seen], atol=1e-5, rtol=0)
