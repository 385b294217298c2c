import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

VARIANTS = [
    {},
    {"attn_only": True},
    {"tie_word_embeddings": True},
    {"normalization_type": "LNPre", "positional_embedding_type": "none"},
    {"positional_embedding_type": "sinusoidal", "use_residual": False},
    {"normalization_type": None, "use_attn_result": True, "tie_word_embeddings": True},
]


def test_gpt2_small(arithmetic, gpt2_small):
    assert arithmetic.total(arithmetic.parameter_terms(gpt2_small)) == 124_439_808


def test_nanogpts_count_is_ours_without_the_biases(arithmetic, gpt2_small):
    terms = arithmetic.parameter_terms(gpt2_small)
    biases = [term for term in terms if term.name.rpartition(".")[2].startswith("b")]
    assert arithmetic.total(terms) - arithmetic.total(biases) == 124_337_664


def test_the_query_weights_as_a_term(arithmetic, make_config):
    cfg = make_config(n_layers=4, d_model=128, n_heads=4, d_head=32)
    terms = {term.name: term for term in arithmetic.parameter_terms(cfg)}
    term = terms["blocks.*.attn.W_Q"]
    assert term.formula == "n_layers * n_heads * d_model * d_head"
    assert term.substituted == "4 * 4 * 128 * 32"
    assert term.value == 65_536


@settings(deadline=None)
@given(data=st.data())
def test_any_config_agrees_with_the_closed_formula(arithmetic, make_config, config_fields, data):
    cfg = make_config(**data.draw(config_fields))
    width, inner = cfg.d_model, cfg.n_heads * cfg.d_head
    norm = 2 * width if cfg.normalization_type == "LN" else 0
    block = norm + 4 * width * inner + 3 * inner + width
    if not cfg.attn_only:
        block += norm + 2 * width * cfg.d_mlp + cfg.d_mlp + width
    expected = cfg.d_vocab * width + cfg.n_layers * block + norm
    if cfg.positional_embedding_type != "none":
        expected += cfg.n_ctx * width
    if not cfg.tie_word_embeddings:
        expected += (width + 1) * cfg.d_vocab
    assert arithmetic.total(arithmetic.parameter_terms(cfg)) == expected


@pytest.mark.parametrize("fields", VARIANTS)
def test_each_term_is_what_the_model_holds_under_that_name(arithmetic, make_config, fields):
    import tfs

    cfg = make_config(**fields)
    held = Counter()
    for name, parameter in tfs.DecoderOnly(cfg).named_parameters():
        in_all_blocks = ".".join("*" if part.isdigit() else part for part in name.split("."))
        held[in_all_blocks] += parameter.numel()
    assert held == {term.name: term.value for term in arithmetic.parameter_terms(cfg)}


@pytest.mark.parametrize("fields", VARIANTS)
def test_shapes_are_the_models(arithmetic, make_config, fields):
    import tfs

    cfg = make_config(**fields)
    weights = dict(tfs.DecoderOnly(cfg).named_parameters())
    for name, axes in arithmetic.weight_shapes(cfg).items():
        shape = tuple(getattr(cfg, axis) for axis in axes)
        assert tuple(weights[name.replace("*", "1")].shape) == shape


@settings(deadline=None)
@given(data=st.data())
def test_any_config_agrees_with_its_model(arithmetic, make_config, config_fields, data):
    import tfs

    cfg = make_config(**data.draw(config_fields))
    held = sum(math.prod(parameter.shape) for parameter in tfs.DecoderOnly(cfg).parameters())
    assert arithmetic.total(arithmetic.parameter_terms(cfg)) == held
