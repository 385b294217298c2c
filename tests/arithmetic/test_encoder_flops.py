"""FLOPs of the models that encode a text, against torch's own count of the same pass."""

import pytest
import torch

VARIANTS = [
    {},
    {"norm_first": True, "positional_embedding_type": "sinusoidal"},
    {"tie_word_embeddings": True, "normalization_type": "RMS", "gated_mlp": True},
    {"n_heads": 4, "n_key_value_heads": 2, "positional_embedding_type": "none"},
]
SOURCE, TARGET, BATCH, LABELS = 7, 5, 3, ("a", "b", "c")


def counted_by_torch(run) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def tokens(pos):
    return torch.arange(BATCH * pos).reshape(BATCH, pos) % 17


@pytest.fixture(params=["encoder-decoder", "encoder-only", "token-classifier", "pair-classifier"])
def costs(request, arithmetic):
    """costs(cfg) -> (the terms, such a model, a pass through it with every activation at hand)."""
    from tfs.model import Kind

    name = request.param
    by_name = {
        "encoder-decoder": lambda cfg: arithmetic.encoder_decoder_flops_terms(
            cfg, SOURCE, TARGET, BATCH
        ),
        "encoder-only": lambda cfg: arithmetic.masked_words_flops_terms(cfg, SOURCE, BATCH),
        "token-classifier": lambda cfg: arithmetic.token_classifier_flops_terms(
            cfg, SOURCE, len(LABELS), BATCH
        ),
        "pair-classifier": lambda cfg: arithmetic.pair_classifier_flops_terms(
            cfg, SOURCE, len(LABELS), BATCH
        ),
    }

    def make(cfg):
        model = Kind(cfg, name, LABELS if name.endswith("classifier") else ()).make()
        read = [tokens(SOURCE), *([tokens(TARGET)] if name == "encoder-decoder" else [])]
        return by_name[name](cfg), model, lambda: model.run_with_cache(*read)[0]

    return make


@pytest.mark.parametrize("fields", VARIANTS)
def test_forward_is_what_torch_counts(arithmetic, make_config, costs, fields) -> None:
    terms, _, run = costs(make_config(**fields))
    assert counted_by_torch(run) == arithmetic.total(terms)


@pytest.mark.parametrize("fields", VARIANTS)
def test_training_is_three_times_that(arithmetic, make_config, costs, fields) -> None:
    """Within a few percent: the products that read fixed positions need no gradient for them."""
    terms, _, run = costs(make_config(**fields))
    counted = counted_by_torch(lambda: run().sum().backward())
    assert counted == pytest.approx(3 * arithmetic.total(terms), rel=0.03)


def test_a_term_has_the_name_of_a_weight_or_of_a_hook(make_config, costs) -> None:
    terms, model, _ = costs(make_config())
    known = {name for name, _ in model.named_parameters()} | set(model.hook_dict)
    for term in terms:
        name = term.name.replace("*", "0")
        name = name.removeprefix("encoder.") if "hook_" in name and "blocks" in name else name
        assert name in known, term.name


def test_only_what_pairs_two_texts_grows_with_both(arithmetic, make_config) -> None:
    def by_name(source_pos, target_pos):
        terms = arithmetic.encoder_decoder_flops_terms(make_config(), source_pos, target_pos)
        return {term.name: term.value for term in terms}

    both = {
        name
        for name, value in by_name(4, 4).items()
        if by_name(8, 4)[name] == by_name(4, 8)[name] == 2 * value
    }
    assert both == {"decoder.*.cross_attn.hook_attn_scores", "decoder.*.cross_attn.hook_z"}


def test_a_text_that_is_too_long_is_refused(arithmetic, make_config) -> None:
    with pytest.raises(ValueError, match="pos must be at most n_ctx = 12, not 13"):
        arithmetic.encoder_decoder_flops_terms(make_config(), 5, 13)
