import pytest


def bytes_of(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_kv_cache_formula(arithmetic, gpt2_small):
    (term,) = arithmetic.kv_cache_terms(gpt2_small, pos=1024)
    assert term.formula == "2 * n_layers * n_heads * d_head * pos * batch * bytes_per_element"
    assert term.substituted == "2 * 12 * 12 * 64 * 1024 * 1 * 4"
    assert arithmetic.readable_bytes(term.value) == "72.0 MiB"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_kv_cache_is_what_the_models_cache_takes(arithmetic, make_config, dtype):
    import torch

    from tfs.model import KeyValueCache

    cfg = make_config(dtype=getattr(torch, dtype))
    layers = KeyValueCache(cfg, batch=3).layers
    taken = bytes_of(tensor for layer in layers for tensor in (layer.keys, layer.values))
    assert arithmetic.total(arithmetic.kv_cache_terms(cfg, cfg.n_ctx, batch=3)) == taken


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_weight_bytes_are_the_models(arithmetic, make_config, dtype):
    import torch

    import tfs

    cfg = make_config(dtype=getattr(torch, dtype), tie_word_embeddings=True)
    assert arithmetic.weight_bytes(cfg) == bytes_of(tfs.DecoderOnly(cfg).parameters())


def test_bytes_per_element_can_be_chosen(arithmetic, make_config):
    in_four, in_two = (arithmetic.weight_bytes(make_config(), size) for size in (4, 2))
    assert in_four == 2 * in_two


@pytest.mark.parametrize("positions", ["standard", "sinusoidal", "none"])
def test_training_memory_is_what_adam_keeps(arithmetic, make_config, positions):
    import torch

    import tfs

    cfg = make_config(positional_embedding_type=positions)
    model = tfs.DecoderOnly(cfg)
    adam = torch.optim.Adam(model.parameters())
    model(torch.zeros(1, 3, dtype=torch.int64)).sum().backward()
    adam.step()
    states = adam.state.values()
    kept = {
        "weights": bytes_of(model.parameters()),
        "gradients": bytes_of(p.grad for p in model.parameters() if p.grad is not None),
        "adam.exp_avg": bytes_of(state["exp_avg"] for state in states),
        "adam.exp_avg_sq": bytes_of(state["exp_avg_sq"] for state in states),
    }
    assert {term.name: term.value for term in arithmetic.training_memory_terms(cfg)} == kept
