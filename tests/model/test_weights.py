"""Parameters: how they start, how they are saved and copied, and that their layout is no matter."""

import copy

import pytest
import torch


@pytest.fixture
def tied(tiny_config, randomised):
    return randomised(tiny_config(tie_word_embeddings=True))


def same_weights(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_seed_decides_the_weights(tiny_config):
    import tfs

    first, again, other = (tfs.DecoderOnly(tiny_config(seed=seed)) for seed in (1, 1, 2))
    assert same_weights(first, again) and not same_weights(first, other)


def test_without_a_seed_no_two_models_are_alike(tiny_config):
    import tfs

    assert not same_weights(*(tfs.DecoderOnly(tiny_config(seed=None)) for _ in range(2)))


@pytest.mark.parametrize("seed", [0, None])
def test_making_a_model_leaves_torchs_own_generator_alone(tiny_config, seed):
    import tfs

    before = torch.get_rng_state()
    tfs.DecoderOnly(tiny_config(seed=seed))
    assert torch.equal(torch.get_rng_state(), before)


def test_matrices_start_at_the_initializer_range_and_biases_at_zero(tiny_config):
    import tfs

    cfg = tiny_config(d_model=64, n_heads=8, d_head=8, initializer_range=0.05)
    for name, parameter in tfs.DecoderOnly(cfg).named_parameters():
        kind = name.rpartition(".")[2]
        if kind.startswith("W_"):
            assert parameter.std().item() == pytest.approx(0.05, rel=0.15), name
        else:
            assert torch.all(parameter == (kind == "w")), name


def test_gpt2_small_has_124_439_808_parameters():
    import tfs

    with torch.device("meta"):
        model = tfs.DecoderOnly(
            tfs.TransformerConfig(
                n_layers=12, d_model=768, n_ctx=1024, d_head=64, d_vocab=50257, act_fn="gelu_new",
                tie_word_embeddings=True,
            )
        )  # fmt: skip
    assert sum(parameter.numel() for parameter in model.parameters()) == 124_439_808


def test_stacked_weights_are_the_layers_weights(tiny_config, randomised):
    model = randomised(tiny_config())
    for name in ("W_Q", "W_K", "W_V", "W_O"):
        for layer, block in enumerate(model.blocks):
            assert torch.equal(getattr(model, name)[layer], getattr(block.attn, name))
    assert model.W_E is model.embed.W_E and model.W_pos is model.pos_embed.W_pos
    assert model.W_U is model.unembed.W_U and model.b_U is model.unembed.b_U


def test_a_tied_models_state_dict_names_the_unembedding(tied):
    weights = tied.state_dict()
    assert torch.equal(weights["unembed.W_U"], weights["embed.W_E"].T)
    assert weights["unembed.b_U"].shape == (11,) and not weights["unembed.b_U"].any()
    assert not any(name.startswith("unembed") for name, _ in tied.named_parameters())


def test_a_tied_model_loads_its_own_state_dict(tied, tokens_for):
    import tfs

    weights = tied.state_dict()
    for given in (weights, dict(tied.named_parameters())):
        model = tfs.DecoderOnly(tied.cfg)
        model.load_state_dict(given)
        assert torch.equal(model(tokens_for(tied.cfg)), tied(tokens_for(tied.cfg)))
    assert "unembed.W_U" in weights


def test_a_hooked_transformer_loads_a_tied_model(tied, reference_of, tokens_for):
    tokens = tokens_for(tied.cfg)
    torch.testing.assert_close(tied(tokens), reference_of(tied)(tokens), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["unembed.W_U", "unembed.b_U"])
@pytest.mark.parametrize("order", [1, -1], ids=["embed first", "unembed first"])
def test_a_tied_model_refuses_an_unembedding_of_its_own(tied, name, order):
    weights = tied.state_dict()
    weights[name] = weights[name] + 1
    with pytest.raises(RuntimeError, match=name):
        tied.load_state_dict(dict(list(weights.items())[::order]))


def test_a_tied_models_gradient_comes_from_both_ends(tied, tokens_for):
    tokens = tokens_for(tied.cfg)
    untied = copy.deepcopy(tied)
    W_U = torch.nn.Parameter(untied.W_E.detach().T.clone())
    tied(tokens).pow(2).sum().backward()
    (untied.ln_final(untied.resid(tokens)) @ W_U).pow(2).sum().backward()
    expected = untied.embed.W_E.grad + W_U.grad.T
    torch.testing.assert_close(tied.embed.W_E.grad, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("tie", [False, True])
def test_a_deep_copy_is_a_model_of_its_own(tiny_config, randomised, tokens_for, tie):
    model = randomised(tiny_config(tie_word_embeddings=tie))
    tokens = tokens_for(model.cfg)
    before, twin = model(tokens), copy.deepcopy(model)
    assert torch.equal(twin(tokens), before)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.mul_(0.5)
    changed = twin(tokens)
    assert torch.equal(model(tokens), before) and not torch.allclose(changed, before)
    with twin.hooks([("hook_embed", lambda embed, hook: embed * 0)]):
        assert torch.equal(model(tokens), before) and not torch.equal(twin(tokens), changed)


@pytest.mark.parametrize("tie", [False, True])
@pytest.mark.parametrize("names_filter", [[], None], ids=["fused", "explicit"])
def test_double_is_the_same_model_in_float64(
    tiny_config, randomised, tokens_for, tie, names_filter
):
    model = randomised(tiny_config(tie_word_embeddings=tie))
    tokens = tokens_for(model.cfg)
    double = copy.deepcopy(model).double()
    logits, cache = double.run_with_cache(tokens, names_filter=names_filter)
    assert logits.dtype == torch.float64 == double.b_U.dtype
    assert all(tensor.dtype == torch.float64 for tensor in cache.values())
    torch.testing.assert_close(logits.float(), model(tokens), rtol=1e-5, atol=1e-5)


def test_double_reads_through_a_kv_cache(tiny_config, randomised, tokens_for):
    import tfs

    double = randomised(tiny_config()).double()
    tokens = tokens_for(double.cfg)
    past = tfs.KeyValueCache(double.cfg, batch=len(tokens))
    chunks = [double(chunk, past_kv_cache=past) for chunk in tokens.split(3, dim=1)]
    torch.testing.assert_close(torch.cat(chunks, 1), double(tokens), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("names_filter", [[], None], ids=["fused", "explicit"])
def test_the_layout_of_the_weights_in_memory_is_no_matter(
    tiny_config, randomised, tokens_for, names_filter
):
    import tfs

    model = randomised(tiny_config())
    tokens, weights = tokens_for(model.cfg), model.state_dict()
    contiguous = tfs.DecoderOnly(model.cfg)
    for attn in (block.attn for block in contiguous.blocks):
        for name in ("W_Q", "W_K", "W_V"):
            assert not getattr(attn, name).is_contiguous()
            setattr(attn, name, torch.nn.Parameter(getattr(attn, name).detach().contiguous()))
    copies = [contiguous, tfs.DecoderOnly(model.cfg)]
    for each in copies:
        each.load_state_dict({name: weight.contiguous() for name, weight in weights.items()})
    for each in [*copies, copy.deepcopy(model), copy.deepcopy(contiguous)]:
        logits, _ = each.run_with_cache(tokens, names_filter=names_filter)
        torch.testing.assert_close(logits, model(tokens), rtol=1e-6, atol=1e-6)
    assert not copy.deepcopy(model).blocks[0].attn.W_Q.is_contiguous()
