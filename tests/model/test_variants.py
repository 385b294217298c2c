"""Fixed positions, attention without a mask, blocks without residual connections."""

from itertools import islice

import pytest
import torch


@pytest.fixture
def four_steps():
    from tfs.train import TrainConfig

    return TrainConfig(
        steps=4,
        batch_size=4,
        warmup_steps=1,
        eval_every=4,
        eval_size=8,
        save_every=2,
        weight_decay=0.5,
    )


def sinusoidal(tiny_config, **fields):
    import tfs

    return tfs.DecoderOnly(tiny_config(positional_embedding_type="sinusoidal", **fields))


def test_sinusoidal_positions_are_the_formula_and_in_the_state_dict(tiny_config):
    import tfs
    from tfs.interp import sinusoidal as formula

    model = sinusoidal(tiny_config, seed=5)
    assert torch.equal(model.W_pos, formula(8, 12)) and not model.W_pos.requires_grad
    learned = tfs.DecoderOnly(tiny_config(seed=5))
    assert model.state_dict().keys() == learned.state_dict().keys()
    assert model.state_dict()["pos_embed.W_pos"].shape == learned.W_pos.shape
    wide = sinusoidal(tiny_config, dtype=torch.float64)
    assert wide.W_pos.dtype == torch.float64


@pytest.mark.parametrize("unfrozen", [False, True])
def test_training_leaves_sinusoidal_positions_alone(tiny_config, four_steps, unfrozen, tmp_path):
    from tfs.tasks import MirrorTask
    from tfs.train import train
    from tfs.train.run import Run

    model = sinusoidal(tiny_config)
    fixed = model.W_pos.detach().clone()
    if unfrozen:
        model.requires_grad_(True)
    list(train(model, MirrorTask(11, 8), four_steps, tmp_path))
    assert torch.equal(model.W_pos, fixed)
    moments = Run(tmp_path).load_last(model)[1]
    assert not any("W_pos" in name for name in moments) and "exp_avg.embed.W_E" in moments


def test_a_run_with_fixed_positions_resumes_bit_for_bit(tiny_config, four_steps, tmp_path):
    from tfs.tasks import MirrorTask
    from tfs.train import train

    task = MirrorTask(11, 8)
    whole, parts = sinusoidal(tiny_config), sinusoidal(tiny_config)
    expected = [step.loss for step in train(whole, task, four_steps)]
    list(islice(train(parts, task, four_steps, tmp_path), 3))
    again = sinusoidal(tiny_config, seed=9).requires_grad_(False).requires_grad_(True)
    assert [s.loss for s in train(again, task, four_steps, tmp_path, resume=True)] == expected[2:]
    for name, parameter in whole.named_parameters():
        assert torch.equal(parameter, again.get_parameter(name)), name


def test_a_bidirectional_model_sees_what_comes_later(tiny_config, randomised, tokens_for):
    cfg = tiny_config(attention_dir="bidirectional")
    model, tokens = randomised(cfg), tokens_for(cfg)
    other = tokens.clone()
    other[:, -1] = (other[:, -1] + 1) % cfg.d_vocab
    assert not torch.isclose(model(tokens)[:, 0], model(other)[:, 0]).all()
    pattern = model.run_with_cache(tokens)[1]["pattern", 0]
    assert (pattern > 0).all()
    torch.testing.assert_close(pattern.sum(-1), torch.ones(2, 3, 8))


def test_a_bidirectional_model_refuses_a_kv_cache(tiny_config, randomised, tokens_for):
    from tfs.decoding import beam_search
    from tfs.model import KeyValueCache

    cfg = tiny_config(attention_dir="bidirectional")
    model, tokens, past = randomised(cfg), tokens_for(cfg), KeyValueCache(cfg, batch=2)
    with pytest.raises(ValueError, match="a bidirectional model cannot use a KV cache"):
        model(tokens, past_kv_cache=past)
    assert past.length == 0
    with pytest.raises(ValueError, match="a bidirectional model cannot use a KV cache"):
        list(beam_search(model, tokens[:1, :3], 2))


@pytest.mark.parametrize("attn_only", [False, True])
def test_without_residual_connections_a_part_replaces_the_stream(
    tiny_config, randomised, tokens_for, attn_only
):
    cfg = tiny_config(use_residual=False, attn_only=attn_only)
    model, tokens = randomised(cfg), tokens_for(cfg)
    cache = model.run_with_cache(tokens)[1]
    for layer in range(cfg.n_layers):
        if attn_only:
            assert torch.equal(cache["resid_post", layer], cache["attn_out", layer])
        else:
            assert torch.equal(cache["resid_mid", layer], cache["attn_out", layer])
            assert torch.equal(cache["resid_post", layer], cache["mlp_out", layer])
    last = "1_attn_out" if attn_only else "1_mlp_out"
    rows, labels = cache.decompose_resid(return_labels=True)
    assert labels == [last] and torch.equal(rows.sum(0), cache["resid_post", 1])
    assert cache.decompose_resid(0, return_labels=True)[1] == ["embed", "pos_embed"]
    if not attn_only:
        rows = cache.decompose_resid(1, mlp_input=True)
        assert torch.equal(rows.sum(0), cache["resid_mid", 1])


@pytest.mark.parametrize("by", ["component", "head"])
@pytest.mark.parametrize("attn_only", [False, True])
def test_shares_of_a_logit_add_up_without_residual_connections(
    tiny_config, randomised, tokens_for, by, attn_only
):
    from tfs.interp import direct_logit_attribution

    cfg = tiny_config(use_residual=False, attn_only=attn_only)
    model, tokens = randomised(cfg), tokens_for(cfg)
    logits, cache = model.run_with_cache(tokens)
    shares, _ = direct_logit_attribution(model, cache, 3, by=by)
    torch.testing.assert_close(shares.sum(0), logits[..., 3], rtol=1e-5, atol=1e-5)


def test_what_a_hooked_transformer_cannot_be_is_refused(tiny_config):
    with pytest.raises(ValueError, match="a HookedTransformer always adds what a block writes"):
        tiny_config(use_residual=False).hooked_fields()
    fields = tiny_config(positional_embedding_type="sinusoidal").hooked_fields()
    assert fields["positional_embedding_type"] == "standard" and "use_residual" not in fields


def test_a_mask_of_ones_is_a_bidirectional_model(tiny_config, randomised, tokens_for):
    """The same weights: without a mask from the start, and with the causal one taken away."""
    import tfs
    from tfs.interp import everyone, run_with_mask

    cfg = tiny_config(positional_embedding_type="sinusoidal")
    causal, tokens = randomised(cfg), tokens_for(cfg)
    both = tfs.DecoderOnly(
        tiny_config(positional_embedding_type="sinusoidal", attention_dir="bidirectional")
    )
    both.load_state_dict(causal.state_dict())
    unmasked = run_with_mask(causal, tokens, everyone(8))
    torch.testing.assert_close(unmasked, both(tokens).detach(), rtol=1e-5, atol=1e-5)
