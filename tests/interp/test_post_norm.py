"""Post-norm models and encoders: the right answer, or a sentence that says why there is none."""

import pytest
import torch

NORMS = ["LN", "LNPre", "RMS", "RMSPre"]


@pytest.fixture(scope="module")
def run(tiny_config, randomised, tokens_for):
    """(architecture, fields) -> a model, its logits and its cache."""

    def make(architecture="DecoderOnly", **fields):
        post = {"norm_first": False} if architecture == "DecoderOnly" else {}
        cfg = tiny_config(**(post | fields))
        model = randomised(cfg, architecture=architecture).requires_grad_(False)
        return model, *model.run_with_cache(tokens_for(cfg))

    return make


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("attn_only", [False, True])
def test_the_stream_of_a_post_norm_model_is_what_each_part_reads(run, kind, attn_only) -> None:
    model, logits, cache = run(normalization_type=kind, attn_only=attn_only)
    stream, labels = cache.accumulated_resid(incl_mid=not attn_only, return_labels=True)
    rows = dict(zip(labels, stream, strict=True))
    assert_close(model.unembed(model.ln_final(rows["final_post"])), logits)
    for layer in range(2):
        block, pre = model.blocks[layer], rows[f"{layer}_pre"]
        mask = torch.ones(8, 8).tril().bool()
        read = attended = block.ln1(pre + block.attn(pre, pre, pre, mask))
        if not attn_only:
            assert_close(rows[f"{layer}_mid"], attended)
            read = block.ln2(attended + block.mlp(attended))
        assert_close(rows["1_pre" if layer == 0 else "final_post"], read)


@pytest.mark.parametrize("kind", [*NORMS, None])
@pytest.mark.parametrize("attn_only", [False, True])
def test_the_lens_of_a_post_norm_model_ends_at_the_logits(run, kind, attn_only) -> None:
    from tfs.interp import lens_labels, logit_lens

    model, logits, cache = run(normalization_type=kind, attn_only=attn_only)
    for incl_mid in (False, True):
        lens = logit_lens(model, cache, incl_mid=incl_mid)
        assert len(lens) == len(lens_labels(model, incl_mid=incl_mid))
        assert_close(lens[-1], logits)


@pytest.mark.parametrize("norm_first", [None, True])
@pytest.mark.parametrize("tied", [False, True])
def test_the_lens_of_an_encoder_reads_through_its_head(run, norm_first, tied) -> None:
    from tfs.interp import logit_lens

    model, logits, cache = run("EncoderOnly", norm_first=norm_first, tie_word_embeddings=tied)
    lens = logit_lens(model, cache, incl_mid=True)
    assert len(lens) == 5
    assert_close(lens[-1], logits)
    first = model.mlm_head(model.ln_final(cache["hook_full_embed"]))
    assert_close(lens[0], model.unembed(first))


def test_a_bert_of_transformerlens_is_known_as_post_norm(run) -> None:
    from tfs.hooks.stream import is_post_norm

    class Bert:
        hook_dict = {"blocks.0.hook_normalized_resid_post": None}

        class cfg:
            normalization_type = "LN"

    assert is_post_norm(Bert)
    assert is_post_norm(run()[0]) and not is_post_norm(run(norm_first=None)[0])


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("attn_only", [False, True])
def test_norms_after_the_sums_are_taken_step_by_step(run, kind, attn_only) -> None:
    from tfs.interp import layer_norm_steps, stream_norms

    model, _, cache = run(normalization_type=kind, attn_only=attn_only)
    last = "ln1" if attn_only else "ln2"
    left = layer_norm_steps(model, cache, 0, last)
    assert_close(left.after, cache["resid_pre", 1])
    assert_close((left.before - left.mean) / left.scale, left.normalized)
    if not attn_only:
        attended = layer_norm_steps(model, cache, 0, "ln1").after
        assert_close(attended + cache["mlp_out", 0], left.before)
    norms = stream_norms(cache, 2)
    assert_close(norms.resid_post[0], norms.resid_pre[1])


def test_without_norms_the_stream_is_a_sum_wherever_they_would_stand(run) -> None:
    from tfs.interp import direct_logit_attribution

    model, logits, cache = run(normalization_type=None)
    assert_close(cache.decompose_resid().sum(0), cache["resid_post", 1])
    shares, _ = direct_logit_attribution(model, cache, 3, by="head")
    assert_close(shares.sum(0), logits[..., 3])


def test_the_stream_of_a_pre_norm_encoder_is_the_sum_of_its_parts(run) -> None:
    _, _, cache = run("EncoderOnly", norm_first=True)
    rows, labels = cache.decompose_resid(return_labels=True)
    assert labels == ["full_embed", "0_attn_out", "0_mlp_out", "1_attn_out", "1_mlp_out"]
    assert_close(rows.sum(0), cache["resid_post", 1])


ASKED = {
    "summands": lambda model, cache: cache.decompose_resid(),
    "summands before an MLP": lambda model, cache: cache.decompose_resid(0, mlp_input=True),
    "rest": lambda model, cache: cache.stack_head_results(incl_remainder=True),
    "a norm before a block": lambda model, cache: cache.accumulated_resid(1, apply_ln=True),
    "heads through it": lambda model, cache: cache.stack_head_results(1, apply_ln=True),
    "neuron": lambda model, cache: _interp().neuron_promotes(model, 0, 1),
    "shares": lambda model, cache: _interp().direct_logit_attribution(model, cache, 3),
}
OF_THE_HEAD = {
    "direction": lambda model, cache: _interp().logit_direction(model, 3),
    "shares of rows": lambda model, cache: cache.logit_attrs(cache.accumulated_resid(), 3),
    "neuron": ASKED["neuron"],
}


def _interp():
    import tfs.interp

    return tfs.interp


@pytest.mark.parametrize("architecture", ["DecoderOnly", "EncoderOnly"])
@pytest.mark.parametrize("asked", [name for name in ASKED if name != "neuron"])
def test_what_needs_a_sum_is_refused_in_a_sentence(run, architecture, asked) -> None:
    model, _, cache = run(architecture)
    with pytest.raises(ValueError, match="this model is post-norm") as caught:
        ASKED[asked](model, cache)
    assert "\n" not in str(caught.value)
    assert len(cache.decompose_resid(0)) == (2 if architecture == "DecoderOnly" else 1)


def test_a_neuron_of_a_post_norm_model_promotes_nothing_for_sure(run) -> None:
    model, _, cache = run()
    with pytest.raises(ValueError, match="no fixed effect on the logits"):
        ASKED["neuron"](model, cache)


@pytest.mark.parametrize("norm_first", [None, True])
@pytest.mark.parametrize("asked", OF_THE_HEAD)
def test_shares_through_an_encoders_head_are_refused(run, norm_first, asked) -> None:
    model, _, cache = run("EncoderOnly", norm_first=norm_first)
    with pytest.raises(ValueError, match="masked-token head"):
        OF_THE_HEAD[asked](model, cache)
