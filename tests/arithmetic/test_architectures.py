"""The parameters of every architecture, term by term, are those that its model holds."""

from collections import Counter

import pytest

CHOICES = [
    {},
    {"tie_word_embeddings": True, "positional_embedding_type": "sinusoidal"},
    {"norm_first": True, "normalization_type": "RMS"},
    {"norm_first": True, "gated_mlp": True, "positional_embedding_type": "none"},
    {"normalization_type": None, "n_key_value_heads": 1},
]
KINDS = [
    ("decoder-only", ()),
    ("encoder-only", ()),
    ("encoder-decoder", ()),
    ("token-classifier", ("O", "B-PER", "I-PER")),
    ("pair-classifier", ("different", "same")),
]


@pytest.mark.parametrize("fields", CHOICES)
@pytest.mark.parametrize(("architecture", "labels"), KINDS)
def test_each_term_is_what_the_model_holds(arithmetic, make_config, architecture, labels, fields):
    from tfs.model import Kind

    kind = Kind(make_config(**fields), architecture, labels)
    model, held, shapes = kind.make(), Counter(), {}
    for name, parameter in model.named_parameters():
        starred = ".".join("*" if part.isdigit() else part for part in name.split("."))
        held[starred] += parameter.numel()
        shapes[starred] = tuple(parameter.shape)
    terms = arithmetic.parameter_terms_of(kind)
    assert held == {term.name: term.value for term in terms}
    assert arithmetic.total(terms) == sum(p.numel() for p in model.parameters())
    sizes = {"labels": len(labels)}
    for name, axes in arithmetic.weight_shapes_of(kind).items():
        found = (sizes.get(a, a if isinstance(a, int) else getattr(kind.cfg, a, 0)) for a in axes)
        assert tuple(found) == shapes[name], name


def test_an_encoder_without_mlps(arithmetic, make_config):
    from tfs.model import Kind

    kind = Kind(make_config(attn_only=True), "encoder-only")
    held = sum(p.numel() for p in kind.make().parameters())
    assert arithmetic.total(arithmetic.parameter_terms_of(kind)) == held


@pytest.mark.parametrize(
    ("name", "size"), [("masked-words", 79_744), ("tags", 110_985), ("grammar", 96_704)]
)
def test_bundled_models_are_as_large_as_their_cards_say(arithmetic, name, size):
    import tfs
    from tfs.model import kind_of

    bundle = tfs.load(name)
    assert arithmetic.total(arithmetic.parameter_terms_of(kind_of(bundle.model))) == size
    assert f"{size:,} parameters" in bundle.card


def test_a_decoder_has_the_terms_that_it_had(arithmetic, make_config):
    from tfs.model import Kind

    cfg = make_config()
    assert arithmetic.parameter_terms_of(Kind(cfg)) == arithmetic.parameter_terms(cfg)


def test_an_unknown_architecture_is_one_sentence(arithmetic, make_config):
    from tfs.model import Kind

    with pytest.raises(ValueError, match="there is no architecture 'rnn'; there are decoder-only"):
        arithmetic.parameter_terms_of(Kind(make_config(), "rnn"))


def test_the_decoding_cache_is_what_the_model_keeps(arithmetic, make_config):
    import torch

    import tfs
    from tfs.model import DecodingCache

    cfg = make_config()
    model, past = tfs.EncoderDecoder(cfg), DecodingCache(cfg, batch=2)
    encoded = model.encode(torch.ones(2, 7, dtype=torch.int64))
    for _ in range(3):
        model.decode(encoded, torch.ones(2, 1, dtype=torch.int64), past=past)
    kept = [
        sum(
            t[:, : layer.length].nbytes for layer in part.layers for t in (layer.keys, layer.values)
        )
        for part in (past.self_attention, past.cross_attention)
    ]
    terms = arithmetic.decoding_cache_terms(cfg, pos=3, source_pos=7, batch=2)
    assert [term.value for term in terms] == kept
    assert "* pos *" in terms[0].formula and "* source_pos *" in terms[1].formula
