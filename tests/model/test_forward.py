import pytest
import torch

CHUNKS = [[8], [1] * 8, [3, 5], [5, 1, 2], [7, 1]]


@pytest.fixture(scope="module", params=["standard", "sinusoidal", "none"])
def model(request, tiny_config, randomised):
    return randomised(tiny_config(positional_embedding_type=request.param)).requires_grad_(False)


@pytest.fixture(scope="module")
def tokens(model, tokens_for):
    return tokens_for(model.cfg)


@pytest.mark.parametrize("use_attn_scale", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_fused_and_explicit_attention_agree(tiny_config, randomised, masked, use_attn_scale):
    from tfs.model.decoder import causal_mask

    attn = randomised(tiny_config(use_attn_scale=use_attn_scale)).blocks[0].attn
    g = torch.Generator().manual_seed(1)
    query_input = torch.randn(2, 4, 12, generator=g)
    key_input = torch.randn(2, 6, 12, generator=g)
    mask = causal_mask(4, 6) if masked else None
    fused = attn(query_input, key_input, key_input, mask)
    watched = []
    attn.hook_pattern.added += type(attn.hook_pattern.added)(
        fwd=(lambda pattern, hook: watched.append(pattern),)
    )
    explicit = attn(query_input, key_input, key_input, mask)
    torch.testing.assert_close(fused, explicit, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(watched[0].sum(-1), torch.ones(2, 3, 4))
    assert bool((watched[0] == 0).any()) == masked


@pytest.mark.parametrize(
    ("query_pos", "key_pos", "rows"),
    [(1, 1, ["1"]), (3, 3, ["100", "110", "111"]), (2, 4, ["1110", "1111"]), (1, 3, ["111"])],
)
def test_the_causal_mask(query_pos, key_pos, rows):
    from tfs.model.decoder import causal_mask

    got = causal_mask(query_pos, key_pos).int().tolist()
    assert ["".join(map(str, row)) for row in got] == rows


@pytest.mark.parametrize("changed", range(1, 8))
def test_a_later_token_changes_no_earlier_logit(model, tokens, changed):
    other = tokens.clone()
    other[:, changed] = (other[:, changed] + 1) % model.cfg.d_vocab
    before, after = model(tokens), model(other)
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert not torch.allclose(before[:, changed], after[:, changed])


def test_an_earlier_token_changes_later_logits(model, tokens):
    other = tokens.clone()
    other[:, 0] = (other[:, 0] + 1) % model.cfg.d_vocab
    assert not torch.isclose(model(tokens)[:, -1], model(other)[:, -1]).all()


@pytest.mark.parametrize("names_filter", [[], None], ids=["fused", "explicit"])
@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_reading_in_chunks_equals_reading_at_once(model, tokens, chunks, names_filter):
    from tfs.model import KeyValueCache

    past, read = KeyValueCache(model.cfg, batch=2), []
    for chunk in tokens.split(chunks, dim=1):
        read.append(model.run_with_cache(chunk, names_filter=names_filter, past_kv_cache=past)[0])
    assert past.length == 8
    torch.testing.assert_close(torch.cat(read, dim=1), model(tokens), rtol=1e-5, atol=1e-5)


def test_a_kv_cache_in_float64(tiny_config, randomised, tokens_for):
    from tfs.model import KeyValueCache

    cfg = tiny_config(dtype=torch.float64)
    model, tokens, past = randomised(cfg), tokens_for(cfg), KeyValueCache(cfg, batch=2)
    read = [model(chunk, past_kv_cache=past) for chunk in tokens.split(3, dim=1)]
    torch.testing.assert_close(torch.cat(read, dim=1), model(tokens), rtol=1e-10, atol=1e-10)


BAD = [
    ([], "there is no token to read"),
    ([1] * 9, "9 tokens are more than .* n_ctx = 8"),
    ([3, 11], r"0 \.\.\. 10 \(d_vocab is 11\), but these run from 3 to 11"),
    ([-1, 2], r"0 \.\.\. 10 \(d_vocab is 11\), but these run from -1 to 2"),
]


@pytest.mark.parametrize(("ids", "message"), BAD)
def test_tokens_that_cannot_be_read(model, tokens, ids, message):
    before = model(tokens)
    for run in (model, model.run_with_cache, model.run_with_hooks):
        with pytest.raises(ValueError, match=message):
            run(torch.tensor([ids], dtype=torch.long))
    assert torch.equal(model(tokens), before)


@pytest.mark.parametrize(
    ("ids", "message"), [*BAD[::2], ([1] * 4, "9 tokens are more than .* n_ctx = 8")]
)
def test_a_refused_chunk_leaves_the_kv_cache_as_it_was(model, tokens, ids, message):
    from tfs.model import KeyValueCache

    past = KeyValueCache(model.cfg, batch=1)
    model(tokens[:1, :5], past_kv_cache=past)
    with pytest.raises(ValueError, match=message):
        model(torch.tensor([ids], dtype=torch.long), past_kv_cache=past)
    assert past.length == 5
    rest = model(tokens[:1, 5:], past_kv_cache=past)
    torch.testing.assert_close(rest, model(tokens[:1])[:, 5:], rtol=1e-5, atol=1e-5)


def test_an_error_in_a_hook_leaves_the_kv_cache_as_it_was(model, tokens):
    from tfs.model import KeyValueCache

    def fail(activation, hook):
        raise RuntimeError("no")

    past = KeyValueCache(model.cfg, batch=2)
    model(tokens[:, :3], past_kv_cache=past)
    with pytest.raises(RuntimeError, match="no"), model.hooks([("blocks.1.hook_resid_pre", fail)]):
        model(tokens[:, 3:5], past_kv_cache=past)
    assert past.length == 3
    rest = model(tokens[:, 3:], past_kv_cache=past)
    torch.testing.assert_close(rest, model(tokens)[:, 3:], rtol=1e-5, atol=1e-5)


def test_a_model_without_positions_says_so(tiny_config, randomised):
    model = randomised(tiny_config(positional_embedding_type="none"))
    with pytest.raises(AttributeError):
        _ = model.W_pos


def test_a_batch_is_read_sequence_by_sequence(model, tokens):
    one_by_one = torch.cat([model(sequence[None]) for sequence in tokens])
    torch.testing.assert_close(model(tokens), one_by_one, rtol=1e-5, atol=1e-5)
