"""EncoderOnly beside HookedEncoder 3.9 with the same weights; masks, segments and classifiers."""

import random
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import seeds

N_CONFIGS = 40
SIZES = {"n_layers": (1, 3), "d_model": (6, 24), "n_ctx": (3, 9), "n_heads": (1, 4)}
SIZES |= {"d_head": (2, 7), "d_mlp": (5, 30), "d_vocab": (7, 30)}
CHOICES = {
    "act_fn": ("relu", "gelu", "gelu_new", "silu"),
    "positional_embedding_type": ("standard", "sinusoidal"),
    "use_attn_result": (False, True),
    "use_attn_scale": (True, True, False),
    "eps": (1e-5, 1e-3),
    "tie_word_embeddings": (False, True),
    "dtype": (torch.float32, torch.float64),
}
NOT_OURS = ("nsp_head.", "pooler.")


def random_fields(seed):
    rng = random.Random(seed)
    fields = {field: rng.randint(*bounds) for field, bounds in SIZES.items()}
    return fields | {field: rng.choice(values) for field, values in CHOICES.items()}


def reference_of(model):
    """A HookedEncoder with our weights; its two heads that we keep elsewhere stay random."""
    from transformer_lens import HookedEncoder, HookedTransformerConfig

    fields = model.cfg.hooked_fields() | {"attention_dir": "bidirectional", "device": "cpu"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is deprecated")
        reference = HookedEncoder(HookedTransformerConfig(**fields))
    missed = reference.load_state_dict(model.state_dict(), strict=False)
    assert missed.unexpected_keys == []
    own = (".mask", ".IGNORE")
    assert all(n.startswith(NOT_OURS) or n.endswith(own) for n in missed.missing_keys)
    return reference


@pytest.fixture(scope="module", params=seeds(N_CONFIGS))
def pair(request, randomised, tokens_for, padded):
    import tfs

    seed = request.param
    cfg = tfs.TransformerConfig(**random_fields(seed))
    model = randomised(cfg, seed, "EncoderOnly")
    tokens = tokens_for(cfg, batch=3, seed=seed)
    segments = (torch.arange(cfg.n_ctx) > seed % cfg.n_ctx).long().expand(3, -1)
    read = {
        "token_type_ids": segments if seed % 4 else None,
        "one_zero_attention_mask": padded(3, cfg.n_ctx, seed) if seed % 3 else None,
    }
    return model, reference_of(model), tokens, read


def test_the_configurations_cover_every_choice():
    drawn = [random_fields(seed) for seed in range(N_CONFIGS)]
    for field, choices in CHOICES.items():
        assert {fields[field] for fields in drawn} == set(choices)


def test_every_activation_in_the_same_order(pair, assert_same):
    model, reference, tokens, read = pair
    _, ours = model.run_with_cache(tokens, **read)
    logits, theirs = reference.run_with_cache(tokens, **read)
    assert list(ours) == list(theirs)
    for name, activation in theirs.items():
        assert_same(ours[name], activation, name)
    assert_same(model(tokens, **read), logits, "logits, unwatched")


def test_every_hook_point_they_use_is_ours(pair):
    model, reference, _, _ = pair
    unused = ("_input", "_mlp_in", "hook_rot_k", "hook_rot_q")
    theirs = {name for name in reference.hook_dict if not name.endswith(unused)}
    assert {name for name in theirs if not name.startswith(NOT_OURS)} == set(model.hook_dict)


def test_the_same_names_and_shapes_of_weights(pair):
    model, reference, _, _ = pair
    theirs = {
        name: weight.shape
        for name, weight in reference.state_dict().items()
        if not name.startswith(NOT_OURS) and not name.endswith((".mask", ".IGNORE"))
    }
    assert {name: weight.shape for name, weight in model.state_dict().items()} == theirs


def test_the_gradients_of_every_parameter(pair, assert_same):
    model, reference, tokens, read = pair
    for each in (model, reference):
        each.zero_grad()
        F.cross_entropy(each(tokens, **read).transpose(1, 2), tokens).backward()
    theirs = {name: p.grad for name, p in reference.named_parameters() if p.grad is not None}
    ours = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    if model.cfg.tie_word_embeddings:
        theirs["embed.embed.W_E"] = theirs["embed.embed.W_E"] + theirs.pop("unembed.W_U").T
        del theirs["unembed.b_U"]
    if model.cfg.positional_embedding_type == "sinusoidal":
        del theirs["embed.pos_embed.W_pos"]
    assert ours.keys() == theirs.keys()
    for name, grad in theirs.items():
        assert_same(ours[name], grad, name)


@torch.no_grad()
def test_the_same_intervention_at_hook_points(pair, assert_same):
    """At 8 of them each time; the configurations together reach every kind of point."""
    model, reference, tokens, read = pair
    _, cache = model.run_with_cache(tokens, **read)
    for name in random.Random(str(model.cfg)).sample(list(cache), 8):
        hooks = [(name, lambda activation, hook: activation * 0.6 + 0.1)]
        ours, theirs = (
            each.run_with_hooks(tokens, fwd_hooks=hooks, **read) for each in (model, reference)
        )
        assert_same(ours, theirs, name)


def test_a_pair_classifier_is_their_next_sentence_head(pair, assert_same):
    import tfs

    model, reference, tokens, read = pair
    classifier = tfs.PairClassifier(model)
    g = torch.Generator().manual_seed(0)
    heads = {n: w for n, w in classifier.named_parameters() if not n.startswith("encoder.")}
    for weight in heads.values():
        torch.nn.init.normal_(weight, generator=g)
    theirs = {name.replace("classifier", "nsp_head"): weight for name, weight in heads.items()}
    assert reference.load_state_dict(theirs, strict=False).unexpected_keys == []
    resid = reference.encoder_output(tokens, **read)
    expected = reference.nsp_head(reference.pooler(resid))
    logits, cache = classifier.run_with_cache(tokens, **read)
    assert_same(logits, expected, "labels")
    assert_same(cache["pooler.hook_pooler_out"], reference.pooler(resid).detach(), "pooler")


@pytest.fixture(scope="module")
def post_norm(encoder):
    return encoder()


@pytest.fixture(scope="module")
def pre_norm(encoder):
    return encoder(norm_first=True)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), is_pre_norm=st.booleans())
def test_a_padded_token_never_changes_a_real_ones_logits(
    post_norm, pre_norm, tokens_for, data, is_pre_norm
):
    model = pre_norm if is_pre_norm else post_norm
    tokens = tokens_for(model.cfg)
    mask = torch.tensor(data.draw(st.lists(st.integers(0, 1), min_size=8, max_size=8)))
    mask = mask.expand(2, -1)
    other = torch.where(mask == 1, tokens, data.draw(st.integers(0, 10)))
    before = model(tokens, one_zero_attention_mask=mask)
    after = model(other, one_zero_attention_mask=mask)
    assert torch.equal(before[mask == 1], after[mask == 1])


@settings(deadline=None, max_examples=30)
@given(at=st.integers(0, 7), token=st.integers(0, 10))
def test_every_real_token_changes_every_logit(post_norm, tokens_for, at, token):
    tokens = tokens_for(post_norm.cfg)
    other = tokens.clone()
    other[:, at] = token
    differs = (post_norm(tokens) != post_norm(other)).any(-1).all(-1)
    assert differs.tolist() == (tokens[:, at] != token).tolist()


def test_fused_attention_with_padding_equals_explicit(post_norm, tokens_for, padded):
    tokens, mask = tokens_for(post_norm.cfg, batch=4), padded(4, 8)
    mask[2] = 0
    explicit, cache = post_norm.run_with_cache(tokens, None, mask)
    torch.testing.assert_close(post_norm(tokens, None, mask), explicit, rtol=1e-5, atol=1e-5)
    pattern = cache["pattern", 0]
    assert (pattern[2] == 0).all()
    assert (pattern.masked_select((mask == 0)[:, None, None]) == 0).all()


def test_padding_is_as_good_as_a_shorter_text(post_norm, tokens_for):
    tokens = tokens_for(post_norm.cfg)
    mask = (torch.arange(8) < 5).expand(2, -1)
    short, padded = post_norm(tokens[:, :5]), post_norm(tokens, None, mask)[:, :5]
    torch.testing.assert_close(padded, short, rtol=1e-5, atol=1e-5)


def test_no_segments_are_segments_of_0(post_norm, tokens_for):
    tokens = tokens_for(post_norm.cfg)
    zeros, ones = torch.zeros_like(tokens), torch.ones_like(tokens)
    assert torch.equal(post_norm(tokens), post_norm(tokens, zeros))
    assert not torch.allclose(post_norm(tokens), post_norm(tokens, ones))


@pytest.mark.parametrize(
    "fields",
    [{"norm_first": True}, {"attn_only": True}, {"positional_embedding_type": "none"}],
)
def test_a_variant_has_other_numbers_and_its_state_dict_brings_them(encoder, tokens_for, fields):
    import tfs

    model, plain = encoder(**fields), encoder()
    tokens = tokens_for(model.cfg)
    assert not torch.allclose(model(tokens), plain(tokens))
    again = tfs.EncoderOnly(model.cfg)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(tokens), model(tokens))
    assert model.W_Q.shape == (2, 3, 12, 5) and model.W_U.shape == (12, 11)


def test_dropout_acts_after_the_embeddings_norm_and_on_what_parts_write(post_norm):
    from tfs.train.dropout import dropout_hooks

    ((where, _),) = dropout_hooks(0.5, seed=0, step=1)
    sites = ["blocks.0.hook_resid_pre"]
    sites += [f"blocks.{layer}.hook_{part}" for layer in (0, 1) for part in ("attn_out", "mlp_out")]
    assert sorted(filter(where, post_norm.hook_dict)) == sorted(sites)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens": torch.zeros(1, 9, dtype=torch.int64)}, "9 tokens are more than.*n_ctx = 8"),
        ({"tokens": torch.zeros(1, 0, dtype=torch.int64)}, "there is no token to read"),
        ({"tokens": torch.full((1, 4), 11)}, "token ids must lie in 0 ... 10"),
        ({"token_type_ids": torch.full((1, 4), 2)}, "token_type_ids must be 0 .first text. or 1"),
        ({"token_type_ids": torch.full((1, 4), -1)}, "token_type_ids must be 0 .first text. or 1"),
    ],
)
def test_texts_that_cannot_be_read(post_norm, arguments, message):
    with pytest.raises(ValueError, match=message):
        post_norm(**({"tokens": torch.zeros(1, 4, dtype=torch.int64)} | arguments))
