import pytest
import torch

CONFIGS = [
    {"normalization_type": "LN"},
    {"normalization_type": "LNPre", "positional_embedding_type": "none"},
    {"normalization_type": None, "tie_word_embeddings": True},
    {"attn_only": True},
]


@pytest.mark.parametrize("fields", CONFIGS, ids=str)
@pytest.mark.parametrize("incl_mid", [False, True])
def test_the_lens_ends_in_the_models_own_logits(interp, either, fields, incl_mid):
    model, _, logits, cache = either(**fields)
    lens = interp.logit_lens(model, cache, incl_mid=incl_mid)
    torch.testing.assert_close(lens[-1], logits.detach(), atol=1e-5, rtol=0)
    assert len(lens) == len(interp.lens_labels(model, incl_mid=incl_mid))
    assert not lens.requires_grad


def test_a_row_of_the_lens_is_the_end_of_the_model_applied_to_that_stream(interp, either):
    model, _, _, cache = either()
    lens = interp.logit_lens(model, cache)
    for layer in range(2):
        logits = model.ln_final(cache["resid_pre", layer]) @ model.W_U + model.b_U
        torch.testing.assert_close(lens[layer], logits.detach(), atol=1e-5, rtol=0)


def test_the_lens_reads_a_cache_without_batch(interp, either):
    model, tokens, logits, _ = either()
    _, cache = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    lens = interp.logit_lens(model, cache)
    torch.testing.assert_close(lens[-1], logits[0].detach(), atol=1e-5, rtol=0)


def test_labels_are_those_of_the_cache(interp, either):
    model, _, _, cache = either()
    for incl_mid in (False, True):
        _, labels = cache.accumulated_resid(incl_mid=incl_mid, return_labels=True)
        assert interp.lens_labels(model, incl_mid=incl_mid) == labels


def test_top_tokens_and_ranks(interp):
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 1.0, 3.0]])
    probabilities, ids = interp.top_tokens(logits, 2)
    assert ids[0].tolist() == [1, 2]
    torch.testing.assert_close(probabilities[0], logits[0].softmax(-1)[[1, 2]])
    assert interp.top_tokens(logits, 9)[1].shape == (2, 3)
    probability, rank = interp.token_ranks(logits, 2)
    torch.testing.assert_close(probability, logits.softmax(-1)[:, 2])
    assert rank.tolist() == [2, 1]
