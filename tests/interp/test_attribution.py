import pytest
import torch

CONFIGS = [
    {"normalization_type": "LN"},
    {"normalization_type": "LNPre"},
    {"normalization_type": None},
    {"normalization_type": "LN", "attn_only": True, "positional_embedding_type": "none"},
    {"normalization_type": "LN", "tie_word_embeddings": True},
    {"normalization_type": "LN", "use_attn_result": True},
]


@pytest.mark.parametrize("by", ["component", "head"])
@pytest.mark.parametrize("fields", CONFIGS, ids=str)
def test_shares_sum_to_the_logit(interp, either, fields, by):
    model, tokens, logits, cache = either(**fields)
    shares, labels = interp.direct_logit_attribution(model, cache, 3, by=by)
    assert len(shares) == len(labels) == len(set(labels))
    assert labels[-1] == "bias"
    torch.testing.assert_close(shares.sum(0), logits[..., 3].detach(), atol=1e-4, rtol=0)

    answers = tokens.roll(1, dims=1)  # an id of its own for every position
    shares, _ = interp.direct_logit_attribution(model, cache, answers, 5, by=by)
    lead = logits.gather(-1, answers[..., None])[..., 0] - logits[..., 5]
    torch.testing.assert_close(shares.sum(0), lead.detach(), atol=1e-4, rtol=0)


def test_one_id_for_each_sequence(interp, either):
    model, _, logits, cache = either()
    shares, _ = interp.direct_logit_attribution(model, cache, torch.tensor([3, 4]))
    torch.testing.assert_close(shares[:, 0].sum(0), logits[0, :, 3].detach(), atol=1e-4, rtol=0)
    torch.testing.assert_close(shares[:, 1].sum(0), logits[1, :, 4].detach(), atol=1e-4, rtol=0)


def test_a_cache_without_batch(interp, either):
    model, tokens, logits, _ = either()
    _, cache = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    for by in ("component", "head"):
        for ids in (3, torch.full_like(tokens[0], 3)):
            shares, _ = interp.direct_logit_attribution(model, cache, ids, by=by)
            torch.testing.assert_close(shares.sum(0), logits[0, :, 3].detach(), atol=1e-4, rtol=0)


def test_heads_and_their_bias_are_what_their_layer_wrote(interp, either):
    model, _, _, cache = either()
    whole = dict(zip(*interp.direct_logit_attribution(model, cache, 3)[::-1], strict=True))
    split = dict(
        zip(*interp.direct_logit_attribution(model, cache, 3, by="head")[::-1], strict=True)
    )
    assert list(split) == [
        *("embed", "pos_embed", "L0H0", "L0H1", "L0H2", "0_b_O", "0_mlp_out"),
        *("L1H0", "L1H1", "L1H2", "1_b_O", "1_mlp_out", "bias"),
    ]
    for layer in range(2):
        parts = [split[f"L{layer}H{head}"] for head in range(3)] + [split[f"{layer}_b_O"]]
        torch.testing.assert_close(sum(parts), whole[f"{layer}_attn_out"], atol=1e-5, rtol=0)


def test_what_cannot_be_attributed_is_refused(interp, either):
    model, _, _, cache = either()
    with pytest.raises(ValueError, match="component.*head.*'neuron'"):
        interp.direct_logit_attribution(model, cache, 3, by="neuron")
    with pytest.raises(ValueError, match=r"\[2\] or \[2, 8\].*\[3\]"):
        interp.direct_logit_attribution(model, cache, torch.tensor([1, 2, 3]))
