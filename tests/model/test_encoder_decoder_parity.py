"""EncoderDecoder beside HookedEncoderDecoder 3.9 and torch.nn.Transformer, with the same weights.

HookedEncoderDecoder is a T5: for numbers to be compared its RMS norms become LayerNorms and its
relative position biases 0. torch.nn.Transformer knows both places of the norms.
"""

import random
import warnings

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn

from tests.many import seeds

N_CONFIGS = 40
SIZES = {"n_layers": (1, 2), "n_ctx": (3, 9), "n_heads": (1, 4), "d_mlp": (5, 30)}
SIZES |= {"d_vocab": (7, 30)}
HOOKED_CHOICES = {
    "d_model": range(6, 25),
    "d_head": range(2, 8),
    "act_fn": ("relu", "gelu", "gelu_new", "silu"),
    "normalization_type": ("LN", "LNPre"),
    "use_attn_result": (False, True),
    "use_attn_scale": (True, True, False),
    "dtype": (torch.float32, torch.float64),
}
TORCH_CHOICES = {
    "d_head": range(2, 7),
    "act_fn": ("relu", "gelu"),
    "norm_first": (False, True),
    "positional_embedding_type": ("sinusoidal", "standard", "none"),
    "scale_embedding": (None, False),
    "tie_word_embeddings": (False, True),
    "dtype": (torch.float32, torch.float64),
}


def random_fields(seed, choices):
    rng = random.Random(seed)
    fields = {field: rng.randint(*bounds) for field, bounds in SIZES.items()}
    return fields | {field: rng.choice(values) for field, values in choices.items()}


def read_by(model, batch):
    """With the mask in the weights' dtype for HookedEncoderDecoder, which multiplies with it."""
    mask = batch["mask"]
    if mask is not None and type(model).__name__ == "HookedEncoderDecoder":
        mask = mask.to(model.cfg.dtype)
    return model(batch["tokens"], batch["decoder_input"], one_zero_attention_mask=mask)


def cached_by(model, batch):
    """What a run leaves at every hook point, and the logits."""
    cached = {}

    def save(activation, hook):
        cached[hook.name] = activation.detach()

    with model.hooks(fwd_hooks=[(lambda name: True, save)]):
        logits = read_by(model, batch)
    return cached, logits


def gradients(model, logits, targets):
    model.zero_grad()
    F.cross_entropy(logits.transpose(1, 2), targets).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.fixture(scope="module")
def batch_for(tokens_for, padded):
    def make(cfg, seed=0):
        target_pos = 1 + seed % cfg.n_ctx
        batch = {"tokens": tokens_for(cfg, batch=3, seed=seed)}
        batch["decoder_input"] = tokens_for(cfg, batch=3, pos=target_pos, seed=seed + 1)
        batch["targets"] = tokens_for(cfg, batch=3, pos=target_pos, seed=seed + 2)
        return batch | {"mask": padded(3, cfg.n_ctx, seed) if seed % 3 else None}

    return make


@pytest.fixture(scope="module", params=seeds(N_CONFIGS))
def hooked_pair(request, randomised, batch_for):
    """Ours, a HookedEncoderDecoder with LayerNorms and no position biases, and what both read."""
    import transformer_lens.components as parts
    from transformer_lens import HookedEncoderDecoder, HookedTransformerConfig

    import tfs

    fields = random_fields(request.param, HOOKED_CHOICES)
    fields |= {"positional_embedding_type": "none", "norm_first": True, "scale_embedding": False}
    cfg = tfs.TransformerConfig(**fields)
    model = randomised(cfg, request.param, "EncoderDecoder")
    buckets = {"relative_attention_num_buckets": 8, "relative_attention_max_distance": 16}
    theirs = cfg.hooked_fields() | buckets | {"attention_dir": "bidirectional", "device": "cpu"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is deprecated")
        reference = HookedEncoderDecoder(HookedTransformerConfig(**theirs))
    make_norm = {"LN": parts.LayerNorm, "LNPre": parts.LayerNormPre}[cfg.normalization_type]
    for path, module in list(reference.named_modules()):
        if isinstance(module, parts.RMSNorm):
            parent = reference.get_submodule(path.rpartition(".")[0])
            setattr(parent, path.rpartition(".")[2], make_norm(reference.cfg))
    reference.setup()
    missed = reference.load_state_dict(model.state_dict(), strict=False)
    assert missed.unexpected_keys == []
    own = ("mask", "IGNORE", "rel_pos_bias.weight")
    assert all(name.endswith(own) for name in missed.missing_keys)
    for stack in (reference.encoder, reference.decoder):
        nn.init.zeros_(stack[0].attn.rel_pos_bias.weight)
    return model, reference, batch_for(cfg, request.param)


def test_every_activation_in_the_same_order(hooked_pair, assert_same):
    model, reference, batch = hooked_pair
    ours, _ = cached_by(model, batch)
    theirs, logits = cached_by(reference, batch)
    assert [name for name in ours if name != "hook_decoder_embed"] == list(theirs)
    for name, activation in theirs.items():
        assert_same(ours[name], activation, name)
    assert_same(read_by(model, batch), logits, "logits, unwatched")


def test_every_hook_point_they_have_is_ours_or_listed(hooked_pair):
    model, reference, _ = hooked_pair
    unused = ("_input", "_attn_in", "_mlp_in", "rel_pos_hook", "hook_rot_k", "hook_rot_q")
    theirs = {name for name in reference.hook_dict if not name.endswith(unused)}
    assert set(model.hook_dict) - theirs == {"hook_decoder_embed"}
    assert theirs <= set(model.hook_dict)


def test_the_gradients_of_every_parameter(hooked_pair, assert_same):
    model, reference, batch = hooked_pair
    ours, theirs = (
        gradients(each, read_by(each, batch), batch["targets"]) for each in (model, reference)
    )
    theirs = {name: grad for name, grad in theirs.items() if "rel_pos_bias" not in name}
    assert ours.keys() == theirs.keys()
    for name, grad in theirs.items():
        assert_same(ours[name], grad, name)


@torch.no_grad()
def test_the_same_intervention_at_hook_points(hooked_pair, assert_same):
    """At 12 of them each time; the configurations together reach every kind of point."""
    model, reference, batch = hooked_pair
    texts = batch["tokens"], batch["decoder_input"]
    clean, cache = model.run_with_cache(*texts)
    names = [name for name in cache if name != "hook_decoder_embed"]
    for name in random.Random(str(model.cfg)).sample(names, 12):
        hooks = [(name, lambda activation, hook: activation * 0.6 + 0.1)]
        ours, theirs = (each.run_with_hooks(*texts, fwd_hooks=hooks) for each in (model, reference))
        assert_same(ours, theirs, name)
        if not name.endswith("hook_attn_scores"):  # of one key alone, scores change nothing
            assert not torch.equal(ours, clean), f"{name} has no effect"


def as_torch(cfg, ours):
    """Our tensors (weights, or their gradients), by the names and shapes of torch.nn.Transformer.

    Embeddings and unembedding keep their names: torch.nn.Transformer has none.
    """
    table = {}
    for stack, attentions in (("encoder", ("attn",)), ("decoder", ("attn", "cross_attn"))):
        for layer in range(cfg.n_layers):
            block, theirs = f"{stack}.{layer}", f"{stack}.layers.{layer}"
            for attn in attentions:
                name = "self_attn" if attn == "attn" else "multihead_attn"
                qkv = [ours.pop(f"{block}.{attn}.W_{part}") for part in "QKV"]
                into = "head d_model d_head -> (head d_head) d_model"
                table[f"{theirs}.{name}.in_proj_weight"] = torch.cat(
                    [rearrange(W, into) for W in qkv]
                )
                biases = [ours.pop(f"{block}.{attn}.b_{part}").flatten() for part in "QKV"]
                table[f"{theirs}.{name}.in_proj_bias"] = torch.cat(biases)
                table[f"{theirs}.{name}.out_proj.weight"] = rearrange(
                    ours.pop(f"{block}.{attn}.W_O"), "head d_head d_model -> d_model (head d_head)"
                )
                table[f"{theirs}.{name}.out_proj.bias"] = ours.pop(f"{block}.{attn}.b_O")
            for name, part in (("linear1", "in"), ("linear2", "out")):
                table[f"{theirs}.{name}.weight"] = ours.pop(f"{block}.mlp.W_{part}").T
                table[f"{theirs}.{name}.bias"] = ours.pop(f"{block}.mlp.b_{part}")
            for norm in range(1, len(attentions) + 2):
                table[f"{theirs}.norm{norm}.weight"] = ours.pop(f"{block}.ln{norm}.w")
                table[f"{theirs}.norm{norm}.bias"] = ours.pop(f"{block}.ln{norm}.b")
        if cfg.norm_first:
            table[f"{stack}.norm.weight"] = ours.pop(f"{stack}_final_ln.w")
            table[f"{stack}.norm.bias"] = ours.pop(f"{stack}_final_ln.b")
    return table, ours


def torch_transformer(cfg):
    sizes = {"d_model": cfg.d_model, "nhead": cfg.n_heads, "dim_feedforward": cfg.d_mlp}
    sizes |= {"dropout": 0.0, "activation": cfg.act_fn, "batch_first": True, "dtype": cfg.dtype}
    sizes |= {"norm_first": bool(cfg.norm_first)}

    def final_norm():
        return nn.LayerNorm(cfg.d_model, dtype=cfg.dtype) if cfg.norm_first else None

    reads, writes = nn.TransformerEncoderLayer(**sizes), nn.TransformerDecoderLayer(**sizes)
    encoder = nn.TransformerEncoder(reads, cfg.n_layers, final_norm(), enable_nested_tensor=False)
    decoder = nn.TransformerDecoder(writes, cfg.n_layers, final_norm())
    return nn.Transformer(
        d_model=cfg.d_model,
        nhead=cfg.n_heads,
        custom_encoder=encoder,
        custom_decoder=decoder,
        batch_first=True,
    )


@pytest.mark.parametrize("seed", seeds(N_CONFIGS))
def test_torch_nn_transformer_says_the_same(seed, randomised, batch_for, assert_same):
    import tfs

    fields = random_fields(seed, TORCH_CHOICES)
    cfg = tfs.TransformerConfig(d_model=fields["n_heads"] * fields["d_head"], **fields)
    model, batch = randomised(cfg, seed, "EncoderDecoder"), batch_for(cfg, seed)
    theirs = torch_transformer(cfg)
    weights, rest = as_torch(cfg, {k: v.detach().clone() for k, v in model.state_dict().items()})
    theirs.load_state_dict(weights)
    rest = {name: weight.requires_grad_() for name, weight in rest.items()}

    def embedded(tokens):
        scale = 1.0 if cfg.scale_embedding is False else cfg.d_model**0.5
        vectors = rest["embed.W_E"][tokens] * scale
        positions = rest.get("pos_embed.W_pos")
        return vectors if positions is None else vectors + positions[: tokens.shape[1]]

    padding = None if batch["mask"] is None else batch["mask"] == 0
    target_pos = batch["decoder_input"].shape[1]
    out = theirs(
        embedded(batch["tokens"]),
        embedded(batch["decoder_input"]),
        tgt_mask=torch.ones(target_pos, target_pos, dtype=torch.bool).triu(1),
        src_key_padding_mask=padding,
        memory_key_padding_mask=padding,
    )
    unembed = rest["embed.W_E"].T if cfg.tie_word_embeddings else rest["unembed.W_U"]
    logits = out @ unembed + rest["unembed.b_U"]
    ours = read_by(model, batch)
    assert_same(ours, logits, "logits")

    expected = gradients(theirs, logits, batch["targets"])
    found, embeddings = as_torch(cfg, gradients(model, ours, batch["targets"]))
    assert found.keys() == expected.keys()
    for name, grad in expected.items():
        assert_same(found[name], grad, name)
    trained = {"embed.W_E"}
    trained |= {"pos_embed.W_pos"} if cfg.positional_embedding_type == "standard" else set()
    trained |= set() if cfg.tie_word_embeddings else {"unembed.W_U", "unembed.b_U"}
    assert embeddings.keys() == trained
    for name, grad in embeddings.items():
        assert_same(grad, rest[name].grad, name)


@pytest.mark.parametrize("choices", [HOOKED_CHOICES, TORCH_CHOICES])
def test_the_configurations_cover_every_choice(choices):
    drawn = [random_fields(seed, choices) for seed in range(N_CONFIGS)]
    for field, values in choices.items():
        if not isinstance(values, range):
            assert {fields[field] for fields in drawn} == set(values)
