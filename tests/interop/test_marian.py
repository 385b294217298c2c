"""Exported, saved, loaded by transformers: the same logits, and the same texts from generate."""

import warnings

import pytest
import torch

START, PAD = 1, 0
N_MODELS, N_INPUTS = 5, 12  # 60 inputs for each way to search


@pytest.fixture(scope="module", params=range(N_MODELS))
def pair(request, randomised, tmp_path_factory):
    """An EncoderDecoder, the MarianMTModel that was loaded from its files, and what both read.

    The token that ends a text is the one for which greedy texts have the most different lengths.
    """
    from transformers import MarianMTModel

    import tfs
    from tfs.interop.marian import save_as_marian
    from tfs.seq2seq import greedy_decode

    seed = request.param
    heads, d_head = 1 + seed % 3, (4, 6, 5)[seed % 3]
    cfg = tfs.TransformerConfig(
        n_layers=1 + seed % 2,
        d_model=heads * d_head,
        n_heads=heads,
        d_head=d_head,
        n_ctx=12,
        d_vocab=13,
        act_fn=("relu", "gelu", "gelu_new", "silu", "relu")[seed],
        positional_embedding_type="sinusoidal",
        tie_word_embeddings=True,
        scale_embedding=(None, False)[seed == 1],
    )
    model = randomised(cfg, seed, "EncoderDecoder").requires_grad_(False)
    g = torch.Generator().manual_seed(seed)
    mask = (torch.arange(9) < torch.randint(1, 10, (N_INPUTS, 1), generator=g)).long()
    tokens = torch.where(mask == 1, torch.randint(3, 13, (N_INPUTS, 9), generator=g), PAD)
    source = {"tokens": tokens, "one_zero_attention_mask": mask}

    def lengths(end):
        texts = greedy_decode(model, **source, start=START, end=end, max_new_tokens=10)
        return len({len(cut(text, end)) for text in texts.tolist()})

    end = max(range(2, 13), key=lengths)
    directory = tmp_path_factory.mktemp("marian")
    save_as_marian(model, directory, start=START, end=end, pad=PAD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        marian, report = MarianMTModel.from_pretrained(directory, output_loading_info=True)
    assert not report["unexpected_keys"] and not report["mismatched_keys"]
    return model, marian.eval(), source, {"start": START, "end": end, "max_new_tokens": 10}


def written_by(marian, source, **choices):
    """What generate writes, each text cut after its end."""
    read = {"input_ids": source["tokens"], "attention_mask": source["one_zero_attention_mask"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = marian.generate(**read, do_sample=False, max_new_tokens=10, **choices)
    return [cut(row, marian.config.eos_token_id) for row in out[:, 1:].tolist()]


def cut(row, end):
    return tuple(row[: row.index(end) + 1] if end in row else row)


def test_the_same_logits(pair):
    model, marian, source, _ = pair
    target = torch.randint(0, 13, (N_INPUTS, 7), generator=torch.Generator().manual_seed(9))
    read = {"input_ids": source["tokens"], "attention_mask": source["one_zero_attention_mask"]}
    with torch.no_grad():
        theirs = marian(**read, decoder_input_ids=target).logits
    ours = model(decoder_input=target, **source)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_its_sines_are_ours_in_another_order(pair):
    from tfs.interop.marian import sines_first

    model, marian, _, _ = pair
    for side in (marian.model.encoder, marian.model.decoder):
        ours = model.pos_embed.W_pos[:, sines_first(model.cfg.d_model)]
        assert torch.equal(side.embed_positions.weight, ours)


def test_greedy_decoding_is_generate(pair):
    from tfs.seq2seq import greedy_decode

    model, marian, source, how = pair
    ours = [cut(row, how["end"]) for row in greedy_decode(model, **source, **how).tolist()]
    assert ours == written_by(marian, source, num_beams=1)


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0, -0.5])
@pytest.mark.parametrize("beams", [2, 4])
def test_beam_search_is_generate(pair, beams, length_penalty, early_stopping):
    from tfs.seq2seq import beam_decode

    model, marian, source, how = pair
    choices = {"length_penalty": length_penalty, "early_stopping": early_stopping}
    found = beam_decode(model, **source, **how, beams=beams, **choices)
    theirs = written_by(marian, source, num_beams=beams, num_return_sequences=beams, **choices)
    assert [text.tokens for texts in found for text in texts] == theirs
    if length_penalty < 1:  # above, the longest texts win, and there are few to tell apart
        assert len({len(text) for text in theirs}) > 1


@pytest.mark.parametrize(
    "change",
    [
        {"norm_first": True},
        {"positional_embedding_type": "standard"},
        {"normalization_type": "LNPre"},
        {"tie_word_embeddings": False},
        {"use_attn_scale": False},
        {"attn_scale": 3.0},
        {"eps": 1e-6},
        {"n_heads": 3},
        {"use_residual": False},
    ],
)
def test_what_a_marian_cannot_be(change, tmp_path):
    import tfs
    from tfs.interop.marian import save_as_marian

    fields = dict(n_layers=1, d_model=8, d_head=4, n_ctx=4, n_heads=2, d_vocab=5)
    fields |= dict(positional_embedding_type="sinusoidal", tie_word_embeddings=True)
    model = tfs.EncoderDecoder(tfs.TransformerConfig(**(fields | change)))
    field = {"n_heads": "d_head"}.get(next(iter(change)), next(iter(change)))
    with pytest.raises(ValueError, match=f"{field} is .*only a model made so can be exported"):
        save_as_marian(model, tmp_path / "no", start=START, end=2, pad=PAD)
    assert not (tmp_path / "no").exists()
