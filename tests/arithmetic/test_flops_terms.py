import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

VARIANTS = [
    {},
    {"attn_only": True},
    {"tie_word_embeddings": True, "normalization_type": "LNPre"},
    {"use_attn_result": True, "normalization_type": None, "positional_embedding_type": "none"},
]


def counted_by_torch(run):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def model_and_tokens(cfg, pos, batch):
    import torch

    import tfs

    tokens = torch.arange(batch * pos).reshape(batch, pos) % cfg.d_vocab
    return tfs.DecoderOnly(cfg), tokens


def test_nanogpts_forward_flops(arithmetic, gpt2_small):
    terms = arithmetic.forward_flops_terms(gpt2_small, pos=1024)
    assert arithmetic.total(terms) == 291_648_307_200


@pytest.mark.parametrize("fields", VARIANTS)
@pytest.mark.parametrize(("pos", "batch"), [(12, 1), (7, 3)])
def test_forward_is_what_torch_counts(arithmetic, make_config, fields, pos, batch):
    cfg = make_config(**fields)
    model, tokens = model_and_tokens(cfg, pos, batch)
    counted = counted_by_torch(lambda: model.run_with_cache(tokens))
    assert counted == arithmetic.total(arithmetic.forward_flops_terms(cfg, pos, batch))


@pytest.mark.parametrize("fields", VARIANTS)
def test_training_is_what_torch_counts(arithmetic, make_config, fields):
    cfg = make_config(**fields)
    model, tokens = model_and_tokens(cfg, pos=7, batch=3)
    counted = counted_by_torch(lambda: model.run_with_cache(tokens)[0].sum().backward())
    assert counted == arithmetic.training_flops(cfg, pos=7, batch=3)


def test_a_fused_kernel_hides_only_the_two_products_without_a_weight(arithmetic, make_config):
    cfg = make_config()
    model, tokens = model_and_tokens(cfg, pos=7, batch=3)
    terms = arithmetic.forward_flops_terms(cfg, pos=7, batch=3)
    with_a_weight = [term for term in terms if "hook_" not in term.name]
    counted = counted_by_torch(lambda: model(tokens))
    assert counted in (arithmetic.total(with_a_weight), arithmetic.total(terms))


@settings(deadline=None)
@given(data=st.data())
def test_6nd_leaves_out_attention_and_unembedding(arithmetic, make_config, config_fields, data):
    cfg = make_config(**data.draw(config_fields))
    pos, batch = data.draw(st.integers(1, cfg.n_ctx)), data.draw(st.integers(1, 4))
    terms = arithmetic.forward_flops_terms(cfg, pos, batch)
    left_out = [term for term in terms if "hook_" in term.name or term.name.startswith("unembed")]
    estimate = arithmetic.training_flops_6nd(cfg, pos, batch).value
    exact = arithmetic.training_flops(cfg, pos, batch)
    assert exact - estimate == 3 * arithmetic.total(left_out)


def test_6nd_shows_its_n_and_d(arithmetic, gpt2_small):
    term = arithmetic.training_flops_6nd(gpt2_small, pos=1024, batch=2)
    assert (term.formula, term.substituted) == ("6 * N * D", "6 * 84934656 * 2048")


def test_twice_the_positions_is_four_times_the_scores(arithmetic, make_config):
    def by_name(pos):
        return {t.name: t.value for t in arithmetic.forward_flops_terms(make_config(), pos)}

    growth = {name: by_name(12)[name] / value for name, value in by_name(6).items()}
    squared = {name for name, times in growth.items() if times == 4}
    assert squared == {"blocks.*.attn.hook_attn_scores", "blocks.*.attn.hook_z"}
    assert {times for name, times in growth.items() if name not in squared} == {2}
