"""The road of every architecture: lengths computed here by running its parts by hand."""

import pytest
import torch

SIZES = {"n_layers": 2, "d_model": 12, "n_ctx": 9, "d_head": 4, "n_heads": 3, "d_vocab": 17}


@pytest.fixture
def made():
    """made(class, **fields) -> a model with large random weights."""
    import tfs

    def make(name, **fields):
        cfg = tfs.TransformerConfig(**(SIZES | {"seed": 3, "initializer_range": 0.4} | fields))
        model = getattr(tfs, name)(cfg).requires_grad_(False)
        for part, parameter in model.named_parameters():
            if ".ln" in part:
                parameter += torch.randn(parameter.shape, generator=torch.manual_seed(1)) / 3
        return model

    return make


@pytest.mark.parametrize("norm_first", [None, True])
def test_an_encoder_decoder_step_by_step(interp, made, norm_first) -> None:
    model = made("EncoderDecoder", norm_first=norm_first)
    source, written = torch.tensor([[3, 1, 4, 1, 5]]), torch.tensor([[9, 2, 6]])
    _, cache = model.run_with_cache(source, written, remove_batch_dim=True)
    resid, encoded = model.embedded_target(written), model.encode(source)
    mask = torch.ones(3, 3, dtype=torch.bool).tril()

    def written_by(block, part, x):
        if part == "mlp":
            return block.mlp(x)
        if part == "attn":
            return block.attn(x, x, x, mask)
        return block.cross_attn(x, encoded, encoded, None)

    expected = []
    for block in model.decoder:
        for number, part in enumerate(("attn", "cross_attn", "mlp"), start=1):
            norm = getattr(block, f"ln{number}")
            resid = resid + written_by(block, part, norm(resid) if norm_first else resid)
            expected.append((part, resid[0].norm(dim=-1)))
            if not norm_first:
                resid = norm(resid)
                expected.append((f"ln{number}", resid[0].norm(dim=-1)))
    steps = interp.road_steps(model.decoder, cache, "decoder")
    assert [step.part for step in steps] == [part for part, _ in expected]
    for step, (part, length) in zip(steps, expected, strict=True):
        torch.testing.assert_close(step.stream, length, atol=1e-4, rtol=0)
        assert len(step.added) == (3 if "attn" in part else 1 if part == "mlp" else 0)


def test_each_head_of_cross_attention(interp, made) -> None:
    model = made("EncoderDecoder")
    _, cache = model.run_with_cache(torch.tensor([[3, 1, 4]]), torch.tensor([[9, 2]]))
    step = next(s for s in interp.road_steps(model.decoder, cache, "decoder") if "cross" in s.part)
    attn = model.decoder[0].cross_attn
    for head in range(3):
        z = cache["decoder.0.cross_attn.hook_z"][0, :, head]
        torch.testing.assert_close(step.added[head, 0], (z @ attn.W_O[head]).norm(dim=-1))


@pytest.mark.parametrize("attn_only", [False, True])
def test_the_last_norm_of_an_encoder_gives_what_its_head_reads(interp, made, attn_only) -> None:
    model = made("EncoderOnly", attn_only=attn_only)
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    _, cache = model.run_with_cache(tokens)
    steps = interp.road_steps(model.blocks, cache)
    layer = ["attn", "ln1"] if attn_only else ["attn", "ln1", "mlp", "ln2"]
    assert [step.part for step in steps] == layer * 2
    length = model.encoder_output(tokens).norm(dim=-1)
    torch.testing.assert_close(steps[-1].stream, length, atol=1e-5, rtol=0)


def test_without_norms_there_is_none_on_the_road(interp, made) -> None:
    model = made("EncoderOnly", normalization_type=None)
    _, cache = model.run_with_cache(torch.tensor([[3, 1, 4]]))
    assert [s.part for s in interp.road_steps(model.blocks, cache)] == ["attn", "mlp"] * 2


def test_the_top_of_the_stream_is_what_is_read_from_it(interp, made) -> None:
    source, written = torch.tensor([[3, 1, 4]]), torch.tensor([[9, 2]])
    for norm_first in (None, True):
        model = made("EncoderDecoder", norm_first=norm_first)
        _, cache = model.run_with_cache(source, written)
        top = cache[interp.top_of_stream(cache, 2, "encoder")]
        torch.testing.assert_close(model.encoder_final_ln(top), model.encode(source))


def test_what_a_mask_leaves_open_ahead(interp, made) -> None:
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    encoder, decoder = made("EncoderOnly"), made("DecoderOnly")
    for model, share in ((encoder, 1.0), (decoder, 0.0)):
        _, cache = model.run_with_cache(tokens)
        assert interp.open_ahead(cache["blocks.1.attn.hook_attn_scores"]).item() == share
    assert interp.open_ahead(torch.zeros(2, 1, 1)).isnan()
    half = torch.zeros(3, 3)
    half[0, 1:] = -torch.inf
    assert interp.open_ahead(half).item() == pytest.approx(1 / 3)


def test_an_encoder_that_looks_back_knows_nothing_of_what_comes(interp, made) -> None:
    model, tokens = made("EncoderOnly"), torch.tensor([[3, 1, 4, 1, 5]])
    changed = tokens.clone()
    changed[0, -1] = 7
    hooks = interp.hooks_to_look_back(model.cfg.n_layers)
    for fwd_hooks, far in (([], False), (hooks, True)):
        one, other = (model.run_with_hooks(t, fwd_hooks=fwd_hooks) for t in (tokens, changed))
        assert torch.allclose(one[0, :-1], other[0, :-1], atol=1e-6) == far
        assert not torch.allclose(one[0, -1], other[0, -1])
