import pytest
import torch


def test_either_model_is_openable(either):
    from tfs.hooks import Openable

    model, _, _, _ = either()
    assert isinstance(model, Openable)
    assert len(model.blocks) == model.cfg.n_layers


@pytest.mark.parametrize("attn_only", [False, True])
def test_norms_of_the_stream_and_of_what_was_written(interp, either, attn_only):
    model, _, _, cache = either(attn_only=attn_only)
    norms = interp.stream_norms(cache, 2)
    assert (norms.mlp_out is None) == attn_only
    for name, table in norms._asdict().items():
        if table is None:
            continue
        assert table.shape == (2, 2, 8)
        for layer in range(2):
            by_hand = cache[name, layer].square().sum(-1).sqrt()
            torch.testing.assert_close(table[layer], by_hand, atol=1e-5, rtol=0)
    torch.testing.assert_close(norms.resid_post[0], norms.resid_pre[1])


def test_norms_without_batch(interp, either):
    model, tokens, _, cache = either()
    _, single = model.run_with_cache(tokens[:1], remove_batch_dim=True)
    norms, with_batch = interp.stream_norms(single, 2), interp.stream_norms(cache, 2)
    torch.testing.assert_close(norms.mlp_out, with_batch.mlp_out[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["LN", "LNPre"])
@pytest.mark.parametrize("which", ["ln1", "ln2"])
def test_the_steps_of_a_layer_norm(interp, either, kind, which):
    model, _, _, cache = either(normalization_type=kind, eps=1e-2)
    steps = interp.layer_norm_steps(model, cache, 1, which)
    norm = getattr(model.blocks[1], which)
    for b in range(2):
        for pos in range(8):
            x = cache["resid_pre" if which == "ln1" else "resid_mid", 1][b, pos]
            mean = sum(x.tolist()) / 12
            scale = (sum((entry - mean) ** 2 for entry in x.tolist()) / 12 + 1e-2) ** 0.5
            assert steps.mean[b, pos].item() == pytest.approx(mean, abs=1e-5)
            assert steps.scale[b, pos].item() == pytest.approx(scale, abs=1e-5)
            normalized = (x - mean) / scale
            after = normalized * norm.w + norm.b if kind == "LN" else normalized
            torch.testing.assert_close(steps.before[b, pos], x)
            torch.testing.assert_close(steps.normalized[b, pos], normalized, atol=1e-5, rtol=0)
            torch.testing.assert_close(steps.after[b, pos], after.detach(), atol=1e-5, rtol=0)
    assert not steps.after.requires_grad


def test_what_the_sublayer_reads_is_after(interp, either):
    model, _, _, cache = either()
    attn, mlp = model.blocks[0].attn, model.blocks[0].mlp
    read = interp.layer_norm_steps(model, cache, 0, "ln1").after
    torch.testing.assert_close(
        (read @ attn.W_Q[2] + attn.b_Q[2]).detach(), cache["q", 0][:, :, 2], atol=1e-5, rtol=0
    )
    read = interp.layer_norm_steps(model, cache, 0, "ln2").after
    torch.testing.assert_close(
        (read @ mlp.W_in + mlp.b_in).detach(), cache["pre", 0], atol=1e-5, rtol=0
    )


def test_norms_that_are_not_there_are_refused(interp, either):
    model, _, _, cache = either(normalization_type=None)
    with pytest.raises(ValueError, match="no layer norm.*None"):
        interp.layer_norm_steps(model, cache, 0, "ln1")
    model, _, _, cache = either(attn_only=True)
    with pytest.raises(ValueError, match="is ln1, not 'ln2'"):
        interp.layer_norm_steps(model, cache, 0, "ln2")
    model, _, _, cache = either()
    with pytest.raises(ValueError, match="ln1 or ln2, not 'ln_final'"):
        interp.layer_norm_steps(model, cache, 0, "ln_final")


def test_top_neurons_are_the_most_active_ones(interp, either):
    _, _, _, cache = either(act_fn="gelu_new")
    values, indices = interp.top_neurons(cache, 1, 3)
    for b in range(2):
        for pos in range(8):
            activations = cache["blocks.1.mlp.hook_post"][b, pos].tolist()
            best = sorted(range(48), key=lambda neuron: -activations[neuron])[:3]
            assert indices[b, pos].tolist() == best
            assert values[b, pos].tolist() == [activations[neuron] for neuron in best]
    assert interp.top_neurons(cache, 1, 99)[0].shape == (2, 8, 48)


@pytest.mark.parametrize("kind", ["LN", "LNPre", None])
def test_a_neurons_effects_are_its_row_through_the_end_of_the_model(interp, either, kind):
    model, _, _, _ = either(normalization_type=kind)
    row = model.blocks[1].mlp.W_out[7].tolist()
    mean = sum(row) / 12 if kind else 0
    w = model.ln_final.w.tolist() if kind == "LN" else [1] * 12
    effects = [
        sum((row[i] - mean) * w[i] * model.W_U[i, token].item() for i in range(12))
        for token in range(11)
    ]
    order = sorted(range(11), key=lambda token: -effects[token])
    tokens = interp.neuron_promotes(model, 1, 7, 4)
    assert tokens.promoted_ids.tolist() == order[:4]
    assert tokens.suppressed_ids.tolist() == order[::-1][:4]
    assert tokens.promoted.tolist() == pytest.approx([effects[t] for t in order[:4]], abs=1e-5)
    lowest = [effects[t] for t in order[::-1][:4]]
    assert tokens.suppressed.tolist() == pytest.approx(lowest, abs=1e-5)
    assert len(interp.neuron_promotes(model, 1, 7, 99).promoted) == 11


@pytest.mark.parametrize("kind", ["LN", "LNPre", None])
def test_all_neurons_together_are_the_mlps_share_of_a_logit(interp, either, kind):
    model, _, _, cache = either(normalization_type=kind, act_fn="gelu_new")
    shares, labels = interp.direct_logit_attribution(model, cache, 3)
    direction, _ = interp.logit_direction(model, 3)
    b_out = model.blocks[1].mlp.b_out
    total = (b_out - b_out.mean() if kind else b_out) @ direction
    for neuron in range(48):
        promoted = interp.neuron_promotes(model, 1, neuron, 11)
        effect = promoted.promoted[promoted.promoted_ids.tolist().index(3)]
        total = total + cache["post", 1][..., neuron] * effect
    scale = cache["ln_final.hook_scale"][..., 0] if kind else 1.0
    found = (total / scale).detach()
    torch.testing.assert_close(found, shares[labels.index("1_mlp_out")], atol=1e-5, rtol=0)


def test_neurons_that_are_not_there_are_refused(interp, either):
    model, _, _, _ = either()
    for neuron in (-1, 48):
        with pytest.raises(ValueError, match=f"48 neurons.*no {neuron}"):
            interp.neuron_promotes(model, 0, neuron)
    model, _, _, _ = either(attn_only=True)
    with pytest.raises(ValueError, match="0 neurons.*no 0"):
        interp.neuron_promotes(model, 0, 0)


def test_head_norms_are_the_lengths_of_head_results(interp, either):
    model, _, _, cache = either()
    norms = interp.head_norms(model, cache)
    results = cache.stack_head_results()
    by_hand = results.square().sum(-1).sqrt().unflatten(0, norms.shape[:2])
    torch.testing.assert_close(norms, by_hand, atol=1e-5, rtol=0)
