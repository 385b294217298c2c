"""Architectures: drawings, table and changes, each computed here anew from the models."""

import pytest
import torch

from tests.pages.architectures_page import PAGE, parts_of, the_map
from tests.pages.screen import bars, header, messages, open_code

SENTENCE = "lai miraim rudas lon tol ne visent pa"


def rows_of(at) -> dict[str, list[str]]:
    """The table: name of the row -> its cells."""
    (table,) = at.table
    return {row[0]: list(row[1:]) for row in table.value.itertuples(index=False)}


@pytest.fixture
def encoder():
    """The bundled model of masked words on its example with word 1 masked: model, cache, tokens."""
    import tfs

    bundle = tfs.load("masked-words")
    ids = torch.tensor([bundle.tokenizer.encode(f"[CLS] [MASK] {SENTENCE[4:]} [SEP]")])
    return bundle.model, bundle.model.run_with_cache(ids, remove_batch_dim=True)[1], ids


@pytest.fixture
def dates():
    import tfs
    from tfs.seq2seq import greedy_decode

    bundle = tfs.load("dates")
    source = torch.tensor([bundle.tokenizer.encode("the 7th of March, 1994")])
    start, end = (bundle.tokenizer.mark_id(mark) for mark in ("<s>", "</s>"))
    written = greedy_decode(bundle.model, source, start=start, end=end)[0]
    read_back = torch.tensor([[start, *written[:-1].tolist()]])
    cache = bundle.model.run_with_cache(source, read_back, remove_batch_dim=True)[1]
    return bundle, cache, source, read_back


@pytest.mark.parametrize(
    ("see", "maps"),
    [
        ("All three", {"encoder map", "two roads", "decoder map"}),
        ("Encoder-only", {"encoder map"}),
        ("Encoder-decoder", {"two roads"}),
        ("Decoder-only", {"decoder map"}),
    ],
)
def test_one_choice_switches_the_architecture(visit, see, maps) -> None:
    at = visit(PAGE, model="mirror", see=see)
    assert not at.exception and not at.error
    ids = [c.proto.id for c in at.get("bidi_component")]
    shown = {m for m in ("encoder map", "two roads", "decoder map") if any(m in i for i in ids)}
    assert shown == maps
    assert len(rows_of(at)["Model"]) == len(maps)
    at.button_group(key="see").set_value("Encoder-decoder").run()
    assert not at.exception and len(the_map(at, "two roads")["roads"]) == 2


@pytest.mark.parametrize("place", [None, 6])
def test_an_encoder_is_lit_by_what_its_parts_add(visit, encoder, place) -> None:
    model, cache, _ = encoder
    at = visit(PAGE, see="Encoder-only")
    if place is not None:
        at.selectbox(key="place").set_value(place).run()
    place = 1 if place is None else place
    data = the_map(at, "encoder map")
    (road,) = data["roads"]
    expected = {
        "Embed": cache["embed.hook_embed"][place],
        "Position": cache["embed.hook_pos_embed"][place],
        "Segment": cache["embed.hook_token_type_embed"][place],
    }
    for layer, block in enumerate(model.blocks):
        expected[f"MLP of layer {layer}"] = cache[f"blocks.{layer}.hook_mlp_out"][place]
        for head in range(4):
            z = cache[f"blocks.{layer}.attn.hook_z"][place, head]
            expected[f"L{layer}H{head}"] = z @ block.attn.W_O[head]
    lengths = {name: vector.norm().item() for name, vector in expected.items()}
    longest, parts = max(lengths.values()), {part["label"]: part for part in parts_of(road)}
    for name, length in lengths.items():
        assert parts[name]["about"] == f"adds a vector of length {length:.2f}"
        assert parts[name]["strength"] == pytest.approx(length / longest, abs=1e-5)
    assert data["longest"] == f"{longest:.2f}"
    heads = parts["L1H3"]["go"]
    assert heads == {"page": "both_ways", "layer": 1, "head": 3}
    leading = {part["go"]["page"] for part in parts.values() if part["go"]}
    assert leading == {"both_ways"}, "no part leads to a page that would read another model"


def test_a_norm_after_the_sum_stands_on_the_road_and_one_before_a_part_does_not(visit) -> None:
    at = visit(PAGE, model="mirror")
    (encoder,), (decoder,) = (
        the_map(at, f"{side} map")["roads"] for side in ("encoder", "decoder")
    )
    on_road = [[r for r in road["rows"] if r.get("slim")] for road in (encoder, decoder)]
    assert [len(rows) for rows in on_road] == [5, 1], "of the embedding, two a layer; the last one"
    for row in on_road[0]:
        assert row["on_road"] and row["parts"][0]["short"] == "norm"
    gates = [[g["short"] for row in r["rows"] for g in row["gates"]] for r in (encoder, decoder)]
    assert gates[0] == [] and gates[1].count("norm") > 0 and "mask" in gates[1]


def test_the_road_of_an_encoder_is_as_wide_as_its_stream(visit, encoder) -> None:
    _, cache, _ = encoder
    (road,) = the_map(visit(PAGE, see="Encoder-only"), "encoder map")["roads"]
    rows = [row for row in road["rows"] if row["label"].startswith("layer 0")]
    streams = [
        cache["blocks.0.hook_resid_mid"],
        None,  # behind the first norm, which has no hook of its own
        cache["blocks.0.hook_resid_post"],
        cache["blocks.0.hook_normalized_resid_post"],
    ]
    pairs = zip(rows, streams, strict=True)
    ratios = [row["norm"] / s[1].norm().item() for row, s in pairs if s is not None]
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-4)


def test_two_roads_are_joined_where_the_decoder_asks(visit, dates) -> None:
    bundle, cache, _, read_back = dates
    at = visit(PAGE, see="Encoder-decoder")
    encoder, decoder = the_map(at, "two roads")["roads"]
    asking = [[row for row in road["rows"] if row["asks"]] for road in (encoder, decoder)]
    assert [len(rows) for rows in asking] == [0, bundle.model.cfg.n_layers]
    last = read_back.shape[1] - 1
    for head, part in enumerate(asking[1][0]["parts"]):
        z = cache["decoder.0.cross_attn.hook_z"][last, head]
        length = (z @ bundle.model.decoder[0].cross_attn.W_O[head]).norm().item()
        assert part["about"] == f"adds a vector of length {length:.2f}"
        assert part["go"] == {"page": "translation", "layer": 0, "head": head}
    for road, of in ((encoder, "encoder"), (decoder, "written")):
        parts = {part["label"]: part["go"] for part in parts_of(road)}
        assert parts["L0H1"] == {"page": "attention", "of": of, "layer": 0, "head": 1}
        assert parts["MLP of layer 0"] is None and parts["Tokens"] is None
    assert "encoder" in asking[1][0]["label"], "said in words, for whom the line is not there"
    assert "“</s>” 1.00" in decoder["rows"][-1]["label"]


def test_the_table_is_asked_of_the_models(visit, encoder, dates) -> None:
    import tfs

    at = visit(PAGE, model="mirror")
    rows, decoder = rows_of(at), tfs.load("mirror").model
    models = (encoder[0], decoder, dates[0].model)
    sizes = [f"{sum(p.numel() for p in model.parameters()):,}" for model in models]
    assert rows["Parameters"] == sizes
    assert rows["Keys after the query that are open"][:2] == ["100%", "0%"]
    assert "encoder: 100%; decoder: 0%" in rows["Keys after the query that are open"][2]
    assert rows["Attentions in a layer"][2] == "encoder: 1 (self); decoder: 2 (self, cross)"
    assert rows["Norm"][0].endswith("after each sum") and rows["Norm"][1].endswith("each part")
    assert rows["Numbers that one pass gives"][0] == "10 positions × 115 tokens"
    from tfs.tasks import LabelledBatch, PairBatch
    from tfs.tasks.batch import Batch

    speaks_of = rows["Those of position p speak of"]
    for said, batch in zip(speaks_of, (LabelledBatch, Batch, PairBatch), strict=True):
        assert ("after p" in said) == (batch.first_predicted == 1)
    cfg, source, written = dates[0].model.cfg, dates[2].shape[1], dates[3].shape[1]
    each = 2 * cfg.n_layers * cfg.n_heads * cfg.d_head * 4 / 1024
    assert rows["KV cache"][2] == (
        f"self-attention: {each * written:.1f} KiB; cross-attention: {each * source:.1f} KiB"
    )


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_who_notices_a_change(visit, dates, which) -> None:
    at = visit(PAGE, model="shakespeare", change=which)
    assert not at.exception
    (encoder,), (decoder,) = (bars(at, f"reach {side}").values() for side in ("encoder", "decoder"))
    assert (encoder > 0.01).all()
    place = {"first": 0, "middle": len(decoder) // 2, "last": len(decoder) - 1}[which]
    assert (decoder[:place] == 0).all() and decoder[place] > 0.01
    assert (decoder[place + 1 :] > 0).all()
    for side in ("encoder", "decoder"):
        (moved,) = bars(at, f"reach {side} of two").values()
        assert (moved > 0.01).all(), "the encoder sees both ways, and the decoder all of it"
    if which == "last":
        bundle, cache, source, read_back = dates
        changed = source.clone()
        changed[0, -1] = source[0, 0]
        other = bundle.model.run_with_cache(changed, read_back, remove_batch_dim=True)[1]
        hook = "decoder.0.hook_normalized_resid_post"
        torch.testing.assert_close(
            moved, (other[hook] - cache[hook]).norm(dim=-1), atol=1e-4, rtol=0
        )


def test_texts_that_cannot_be_read_get_one_sentence(visit) -> None:
    at = visit(PAGE, see="Encoder-only")
    at.text_input(key="text for masked-words").set_value("der Hund").run()
    assert not at.exception and len(messages(at)) == 1 and "der" in messages(at)[0]


def test_every_box_of_code_can_be_opened(visit) -> None:
    at = open_code(visit(PAGE, model="induction", both="tags", pair="grammar"))
    assert not at.exception and not at.error
    assert sum("road_steps" in code.value for code in at.code) >= 2


def test_a_model_without_a_text_ends_its_own_column_and_the_others_stay(visit) -> None:
    at = visit(PAGE)
    at.text_input(key="text for masked-words").set_value("").run()
    assert not at.exception
    assert [element.value for element in at.error] == ["There is nothing to read\\: type a text\\."]
    keys = [c.proto.id for c in at.get("bidi_component")]
    assert any(key.endswith("-decoder map") for key in keys)
    assert any(key.endswith("-two roads") for key in keys)
    assert not any(key.endswith("-encoder map") for key in keys)
    assert list(at.table[0].value.columns)[1:] == ["Decoder-only", "Encoder-decoder"]


def test_how_many_have_noticed_stands_in_a_sentence_that_wraps(visit) -> None:
    at = visit(PAGE, see="Encoder-only")
    assert any("positions have noticed." in caption.value for caption in at.caption)
    assert header(at, "reach encoder")["rows"][0]["unit"] == ""


def test_of_a_last_token_that_a_decoder_reads_one_position_has_noticed(visit) -> None:
    at = visit(PAGE, see="Decoder-only")
    captions = [caption.value for caption in at.caption]
    assert any(each.startswith("1 of ") and each.endswith("has noticed.") for each in captions)


@pytest.mark.parametrize("change", ["first", "last"])
def test_what_takes_the_place_of_a_token_is_what_the_prose_says(visit, change) -> None:
    import tfs

    at = visit(PAGE, see="Encoder-only", change=change)
    said = " ".join(" ".join(markdown.value.split()) for markdown in at.markdown)
    assert "one token, or the [MASK] in its place, gives way to another one: to one of the" in said
    assert "has no other, to the next of the vocabulary" in said
    at.text_input(key="text for masked-words").set_value("[MASK] lai lai").run()
    tokenizer = tfs.load("masked-words").tokenizer
    (lai,) = tokenizer.encode("lai")
    (row,) = header(at, "reach encoder")["rows"]
    old, new = (each.split("”")[0] for each in row["title"].split("“")[1:])
    assert (old, new) == {"first": ("[MASK]", "lai"), "last": ("lai", "[MASK]")}[change]
    at.text_input(key="text for masked-words").set_value("lai lai lai").run()
    (row,) = header(at, "reach encoder")["rows"]
    assert row["title"].endswith(f"becomes “{tokenizer.str_tokens([lai + 1])[0]}”")
