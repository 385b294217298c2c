"""Drawings of models with other norms, places of norms, and parts than the bundled ones."""

import dataclasses

import pytest

from tests.pages.architectures_page import PAGE, the_map
from tests.pages.screen import open_code

RUN = "run-0123456789abcdef"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("encoder-only", {"norm_first": True}),
        ("encoder-only", {"attn_only": True, "positional_embedding_type": "none"}),
        ("encoder-only", {"normalization_type": None}),
        ("token-classifier", {"norm_first": True, "normalization_type": "RMS"}),
        ("pair-classifier", {}),
    ],
)
@pytest.mark.parametrize("page", [PAGE, "pages/read/both_ways.py"])
def test_encoders_of_every_kind_open(visit, tmp_path, page, kind, fields) -> None:
    import tfs
    from tfs.model import Kind

    tokenizer = tfs.load("masked-words").tokenizer
    sizes = {"n_layers": 2, "d_model": 16, "n_ctx": 14, "d_head": 8, "d_vocab": tokenizer.d_vocab}
    labels = ("O", "B-PER", "I-PER") if kind == "token-classifier" else ("different", "same")
    labels = () if kind == "encoder-only" else labels
    model = Kind(tfs.TransformerConfig(**sizes, **fields, seed=4), kind, labels).make()
    tfs.save(tfs.Bundle(model, tokenizer, "# made here\n"), tmp_path / RUN)
    at = open_code(visit(page, both=RUN, see="Encoder-only"))
    assert not at.exception and not at.error and not at.warning
    assert at.selectbox(key="both").value == RUN
    if page == PAGE:
        (road,) = the_map(at, "encoder map")["roads"]
        norms = [row for row in road["rows"] if row.get("slim")]
        gates = [gate for row in road["rows"] for gate in row["gates"]]
        has_norms, first = fields.get("normalization_type", "LN"), fields.get("norm_first")
        per_layer = 1 if fields.get("attn_only") else 2
        on_road = 2 if first else 1 + 2 * per_layer
        assert len(norms) == (on_road if has_norms else 0)
        assert len(gates) == (2 * per_layer if first else 0)


@pytest.mark.parametrize("first", [None, True])
@pytest.mark.parametrize("normalization", ["LN", None])
def test_norms_of_two_roads_stand_where_the_model_has_them(first, normalization) -> None:
    import tfs
    from pages._ui.stack_rows import encoder_decoder_rows
    from pages._ui.two_texts import TwoTexts

    bundle = tfs.load("grammar")
    fields = {"norm_first": first, "normalization_type": normalization, "n_layers": 2, "seed": 1}
    model = tfs.EncoderDecoder(dataclasses.replace(bundle.model.cfg, **fields))
    bundle = dataclasses.replace(bundle, model=model.requires_grad_(False))
    two = TwoTexts("grammar", bundle, str(fields), (5, 6, 7), (8, 9))
    for road, parts in zip(encoder_decoder_rows(two, 1, 1)[0], (2, 3), strict=True):
        on_road = sum(row.get("slim", False) for row in road.rows)
        gates = [gate["short"] for row in road.rows for gate in row["gates"]]
        expected = (1, 2 * parts) if first else (2 * parts, 0)
        assert (on_road, gates.count("norm")) == (expected if normalization else (0, 0))
        assert gates.count("mask") == (2 if parts == 3 else 0)


@pytest.mark.parametrize(
    ("fields", "on_road", "gates"),
    [
        ({}, 1, 4),
        ({"norm_first": False}, 4, 0),
        ({"norm_first": False, "attn_only": True}, 2, 0),
        ({"normalization_type": None}, 0, 0),
        ({"normalization_type": "RMS", "parallel_attn_mlp": True}, 1, 2),
    ],
)
def test_norms_of_a_decoder_stand_where_it_has_them(
    visit, tmp_path, fields, on_road, gates
) -> None:
    import tfs

    tokenizer = tfs.load("mirror").tokenizer
    sizes = {"n_layers": 2, "d_model": 16, "n_ctx": 8, "d_head": 8, "d_vocab": tokenizer.d_vocab}
    model = tfs.DecoderOnly(tfs.TransformerConfig(**sizes, **fields, seed=4))
    tfs.save(tfs.Bundle(model, tokenizer, "# made here\n"), tmp_path / RUN)
    at = visit(PAGE, model=RUN, prompt="1 2 3", see="Decoder-only")
    assert not at.exception and not at.error
    (road,) = the_map(at, "decoder map")["roads"]
    assert sum(row.get("slim", False) for row in road["rows"]) == on_road
    found = [gate["short"] for row in road["rows"] for gate in row["gates"]]
    assert (found.count("norm"), found.count("mask")) == (gates, 2)
