import math
import warnings

import pytest
import torch
import torch.nn.functional as F

POS = 8
WHO_SEES_WHOM = {
    "causal": ((), lambda q, k: k <= q),
    "everyone": ((), lambda q, k: True),
    "padding": ((3,), lambda q, k: k <= q and k < POS - 3),
    "prefix": ((4,), lambda q, k: k <= q or (q < 4 and k < 4)),
    "sliding_window": ((3,), lambda q, k: q - 3 < k <= q),
}


@torch.no_grad()
def one_layer_by_hand(model, tokens, mask):
    """A model of one layer, ReLU and layer norms, in loops: logits of one sequence."""
    block, pos = model.blocks[0], len(tokens)
    resid = model.W_E[tokens] + model.W_pos[:pos]
    x = F.layer_norm(resid, resid.shape[-1:], block.ln1.w, block.ln1.b, model.cfg.eps)
    attn, attn_out = block.attn, []
    for query in range(pos):
        written = attn.b_O
        for head in range(model.cfg.n_heads):
            q = x[query] @ attn.W_Q[head] + attn.b_Q[head]
            keys = [key for key in range(pos) if mask[query, key]]
            scores = [q @ (x[key] @ attn.W_K[head] + attn.b_K[head]) for key in keys]
            weights = [math.exp(score / math.sqrt(len(q))) for score in scores]
            for key, weight in zip(keys, weights, strict=True):
                v = x[key] @ attn.W_V[head] + attn.b_V[head]
                written = written + weight / sum(weights) * (v @ attn.W_O[head])
        attn_out.append(written)
    resid = resid + torch.stack(attn_out)
    x = F.layer_norm(resid, resid.shape[-1:], block.ln2.w, block.ln2.b, model.cfg.eps)
    mlp = block.mlp
    resid = resid + (x @ mlp.W_in + mlp.b_in).relu() @ mlp.W_out + mlp.b_out
    return model.ln_final(resid) @ model.W_U + model.b_U


@pytest.mark.parametrize("name", WHO_SEES_WHOM)
def test_masks_are_their_definitions_written_as_loops(interp, name):
    arguments, sees = WHO_SEES_WHOM[name]
    mask = getattr(interp, name)(POS, *arguments)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[sees(q, k) for k in range(POS)] for q in range(POS)]


def test_masks_at_their_limits_are_one_another(interp):
    assert interp.padding(POS, 0).equal(interp.causal(POS))
    assert not interp.padding(POS, POS).any()
    assert interp.prefix(POS, 0).equal(interp.causal(POS))
    assert interp.prefix(POS, POS).equal(interp.everyone(POS))
    assert interp.sliding_window(POS, POS).equal(interp.causal(POS))
    assert interp.sliding_window(POS, 1).equal(torch.eye(POS).bool())


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("causal", (0,), "at least 1 position, not 0"),
        ("everyone", (-1,), "at least 1 position, not -1"),
        ("padding", (4, 5), r"n_padding must lie in 0 \.\.\. 4.*not 5"),
        ("padding", (4, -1), r"n_padding must lie in 0 \.\.\. 4.*not -1"),
        ("prefix", (4, 5), r"n_prefix must lie in 0 \.\.\. 4.*not 5"),
        ("sliding_window", (4, 0), "1 or more, not 0"),
    ],
)
def test_masks_that_cannot_be_are_refused(interp, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(interp, name)(*arguments)


def test_softmax_shares_the_weight_among_those_who_are_seen(interp):
    scores = torch.randn(2, 3, POS, POS, generator=torch.Generator().manual_seed(0))
    mask = interp.sliding_window(POS, 3)
    mask[5] = False  # this query sees nobody
    weights = interp.masked_softmax(scores, mask)
    for query in range(POS):
        total = sum(scores[..., query, key].exp() * mask[query, key] for key in range(POS))
        for key in range(POS):
            share = scores[..., query, key].exp() / total if mask[query, key] else total * 0
            torch.testing.assert_close(weights[..., query, key], share, atol=1e-5, rtol=0)
    assert weights[..., 5, :].count_nonzero() == 0


@pytest.mark.parametrize(
    "fields",
    [{}, {"use_attn_scale": False}, {"attn_only": True, "positional_embedding_type": "none"}],
    ids=str,
)
def test_with_its_own_mask_a_model_does_what_it_always_does(interp, either, fields):
    model, tokens, logits, _ = either(**fields)
    again = interp.run_with_mask(model, tokens, interp.causal(POS))
    torch.testing.assert_close(again, logits.detach(), atol=1e-5, rtol=0)
    assert not again.requires_grad
    torch.testing.assert_close(model(tokens), logits)  # and the run left nothing behind


def test_shared_keys_with_their_own_mask(interp, tiny_config, tokens_for):
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    fields = tiny_config(n_heads=4).hooked_fields()
    fields |= {"n_key_value_heads": 2, "initializer_range": 0.3}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "HookedTransformer is deprecated")
        model = HookedTransformer(HookedTransformerConfig(**fields, device="cpu"))
    tokens = tokens_for(tiny_config())
    again = interp.run_with_mask(model, tokens, interp.causal(POS))
    torch.testing.assert_close(again, model(tokens).detach(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [*WHO_SEES_WHOM, "nobody"])
def test_with_another_mask_a_model_is_what_loops_make_of_it(interp, either, name):
    model, tokens, _, _ = either(n_layers=1)
    arguments, _ = WHO_SEES_WHOM.get(name, ((), None))
    mask = interp.padding(POS, POS) if name == "nobody" else getattr(interp, name)(POS, *arguments)
    logits = interp.run_with_mask(model, tokens, mask)
    for sequence, found in zip(tokens, logits, strict=True):
        by_hand = one_layer_by_hand(model, sequence, mask)
        torch.testing.assert_close(found, by_hand, atol=1e-5, rtol=0)


def test_every_layer_gets_the_mask(interp, either, tiny_config, randomised, reference_of):
    model, tokens, _, _ = either()
    encoder = reference_of(randomised(tiny_config()))
    encoder.cfg.attention_dir = "bidirectional"
    logits = interp.run_with_mask(model, tokens, interp.everyone(POS))
    torch.testing.assert_close(logits, encoder(tokens).detach(), atol=1e-5, rtol=0)


def test_padding_changes_nothing_for_the_tokens_before_it(interp, either):
    model, tokens, logits, _ = either()
    padded = interp.run_with_mask(model, tokens, interp.padding(POS, 3))
    torch.testing.assert_close(padded[:, :-3], logits[:, :-3].detach(), atol=1e-5, rtol=0)


def test_what_cannot_be_masked_is_refused(interp, either, tiny_config):
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    model, tokens, _, _ = either()
    with pytest.raises(ValueError, match=r"8 tokens need a mask of \[8, 8\].*\[5, 5\]"):
        interp.run_with_mask(model, tokens, interp.causal(5))
    fields = tiny_config(d_head=4).hooked_fields() | {"positional_embedding_type": "rotary"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "HookedTransformer is deprecated")
        rotary = HookedTransformer(HookedTransformerConfig(**fields, rotary_dim=4, device="cpu"))
    with pytest.raises(ValueError, match="not 'rotary'"):
        interp.run_with_mask(rotary, tokens, interp.causal(POS))


def test_the_loss_of_each_prediction(interp, either):
    model, tokens, logits, _ = either()
    losses = interp.loss_per_position(logits.detach(), tokens)
    assert losses.shape == (2, POS - 1)
    for b in range(2):
        for pos in range(POS - 1):
            terms = logits[b, pos].exp()
            by_hand = -(terms[tokens[b, pos + 1]] / terms.sum()).log().item()
            assert losses[b, pos].item() == pytest.approx(by_hand, abs=1e-5)
    mean = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).detach()
    torch.testing.assert_close(losses.mean(), mean, atol=1e-5, rtol=0)
    blind = interp.loss_per_position(torch.zeros(1, 3, 11), torch.tensor([[1, 2, 3]]))
    torch.testing.assert_close(blind, torch.full((1, 2), math.log(11)))
