"""The modern decoder and HookedTransformer 3.9 with the same weights: the same numbers everywhere.

HookedTransformer calls ln1 three times, we once; gradients are compared at parameters, where that
makes no difference. Experts are float32 there, whatever the dtype.
"""

import random

import pytest
import torch
import torch.nn.functional as F

from tests.many import seeds

N_CONFIGS = 48
CHOICES = {
    "n_layers": (1, 2, 3),
    "act_fn": ("relu", "gelu", "gelu_new", "silu"),
    "normalization_type": ("LN", "LNPre", "RMS", "RMS", "RMSPre", None),
    "positional_embedding_type": ("standard", "none", "rotary", "rotary", "rotary", "alibi"),
    "rotary_base": (10000, 500.0),
    "rotary_adjacent_pairs": (False, True),
    "attention_dir": ("causal", "causal", "causal", "bidirectional"),
    "gated_mlp": (False, True),
    "use_local_attn": (False, True),
    "attn_scores_soft_cap": (-1.0, -1.0, 0.7),
    "output_logits_soft_cap": (-1.0, -1.0, 1.5),
    "parallel_attn_mlp": (False, False, True),
    "norm_topk_prob": (False, True),
    "use_attn_result": (False, True),
    "tie_word_embeddings": (False, True),
    "dtype": (torch.float32, torch.float64),
}
SIZES = {"d_model": (6, 24), "n_ctx": (4, 9), "d_mlp": (5, 30), "d_vocab": (7, 30)}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def random_fields(seed):
    rng = random.Random(seed)
    fields = {field: rng.randint(*bounds) for field, bounds in SIZES.items()}
    fields |= {field: rng.choice(choices) for field, choices in CHOICES.items()}
    fields |= {"n_heads": rng.choice((2, 4, 6)), "d_head": rng.choice((2, 4, 6))}
    fields["n_key_value_heads"] = rng.choice((None, 1, 2, fields["n_heads"]))
    fields["rotary_dim"] = rng.choice((None, 2, fields["d_head"]))
    if fields["use_local_attn"]:
        kinds = rng.choices(("global", "local", "local"), k=fields["n_layers"])
        fields |= {"window_size": rng.randint(1, 4), "attn_types": tuple(kinds)}
    if rng.random() < 0.3:
        experts = rng.randint(1, 4)
        fields |= {"num_experts": experts, "experts_per_token": rng.randint(1, experts)}
    if fields.get("num_experts") or fields["positional_embedding_type"] == "alibi":
        fields["dtype"] = torch.float32  # as both are there
    return fields


class Pair:
    def __init__(self, model, reference, tokens):
        self.model, self.reference, self.tokens = model, reference, tokens
        self.tolerance = TOLERANCE[model.cfg.dtype]
        has_vectors = model.cfg.positional_embedding_type == "standard"
        self.absent = set() if has_vectors else {"hook_pos_embed"}

    def assert_close(self, ours, theirs, what):
        torch.testing.assert_close(
            ours,
            theirs,
            rtol=self.tolerance,
            atol=self.tolerance,
            msg=lambda text: f"{what}: {text}",
        )


@pytest.fixture(scope="module", params=seeds(N_CONFIGS))
def pair(request, model_and_reference, tokens_for):
    import tfs

    cfg = tfs.TransformerConfig(**random_fields(request.param))
    return Pair(*model_and_reference(cfg, seed=request.param), tokens_for(cfg))


def test_the_configurations_cover_every_choice():
    drawn = [random_fields(seed) for seed in range(N_CONFIGS)]
    for field, choices in CHOICES.items():
        assert {fields[field] for fields in drawn} == set(choices), field
    grouped = [f for f in drawn if f["n_key_value_heads"] not in (None, 1, f["n_heads"])]
    multi_query = [f for f in drawn if f["n_key_value_heads"] == 1]
    experts = [f for f in drawn if f.get("num_experts", 0) > f.get("experts_per_token", 0)]
    local = [f for f in drawn if "local" in f.get("attn_types", ())]
    partly_turned = [f for f in drawn if f["rotary_dim"] not in (None, f["d_head"])]
    assert min(map(len, (grouped, multi_query, experts, local, partly_turned))) >= 4


@torch.no_grad()
def test_every_activation_in_the_same_order(pair):
    logits, ours = pair.model.run_with_cache(pair.tokens)
    their_logits, theirs = pair.reference.run_with_cache(pair.tokens)
    assert list(ours) == [name for name in theirs if name not in pair.absent]
    for name, activation in ours.items():
        pair.assert_close(activation, theirs[name], name)
    pair.assert_close(logits, their_logits, "logits")
    pair.assert_close(pair.model(pair.tokens), their_logits, "logits, unwatched")


@torch.no_grad()
def test_the_same_intervention_at_every_hook_point(pair):
    def change(activation, hook):
        return activation * 0.6 + 0.1 if activation.is_floating_point() else activation.flip(-1)

    for name in pair.model.run_with_cache(pair.tokens)[1]:
        ours, theirs = (
            each.run_with_hooks(pair.tokens, fwd_hooks=[(name, change)])
            for each in (pair.model, pair.reference)
        )
        pair.assert_close(ours, theirs, name)


@pytest.mark.parametrize("watched", [False, True], ids=["fused", "explicit"])
def test_the_gradients_of_every_parameter(pair, watched):
    hooks = [(lambda name: name.endswith("hook_pattern"), lambda pattern, hook: None)]
    grads = []
    for each in (pair.model, pair.reference):
        each.zero_grad()
        logits = each.run_with_hooks(pair.tokens, fwd_hooks=hooks if watched else [])
        F.cross_entropy(logits[:, :-1].transpose(1, 2), pair.tokens[:, 1:]).backward()
        named = each.named_parameters()
        grads.append({name: p.grad for name, p in named if p.grad is not None})
    ours, theirs = grads
    if pair.model.cfg.positional_embedding_type == "none":
        del theirs["pos_embed.W_pos"]
    if pair.model.cfg.tie_word_embeddings:  # one weight with us, two there
        theirs["embed.W_E"] += theirs.pop("unembed.W_U").T
        del theirs["unembed.b_U"]
    for name, grad in theirs.items():
        pair.assert_close(ours.pop(name), grad, name)
    assert not ours


def test_either_loads_the_others_weights(pair):
    import tfs

    missed = pair.reference.load_state_dict(pair.model.state_dict(), strict=False)
    buffers = (".mask", ".IGNORE", ".rotary_sin", ".rotary_cos")
    missing = [name for name in missed.missing_keys if not name.endswith(buffers)]
    assert set(missing) <= {"pos_embed.W_pos"} and missed.unexpected_keys == []
    theirs = {
        name: weight
        for name, weight in pair.reference.state_dict().items()
        if not name.endswith(buffers)
    }
    model = tfs.DecoderOnly(pair.model.cfg)
    missed = model.load_state_dict(theirs, strict=False)
    assert missed.missing_keys == [] and missed.unexpected_keys == missing
    pair.assert_close(model(pair.tokens), pair.reference(pair.tokens), "logits")


def test_weights_stacked_over_layers_are_the_references(pair):
    for name in ("W_Q", "W_K", "W_V", "W_O", "W_E", "W_U"):
        assert torch.equal(getattr(pair.model, name), getattr(pair.reference, name)), name


@torch.no_grad()
@pytest.mark.parametrize("names_filter", [[], None], ids=["fused", "explicit"])
def test_reading_in_chunks_equals_reading_at_once(pair, names_filter):
    from tfs.model import KeyValueCache

    cfg = pair.model.cfg
    if cfg.attention_dir == "bidirectional":
        pytest.skip("a bidirectional model has no KV cache")
    whole = pair.model(pair.tokens)
    for chunk in (1, 3):
        past, read = KeyValueCache(cfg, batch=2), []
        for part in pair.tokens.split(chunk, dim=1):
            run = {"names_filter": names_filter, "past_kv_cache": past}
            read.append(pair.model.run_with_cache(part, **run)[0])
        pair.assert_close(torch.cat(read, dim=1), whole, f"chunks of {chunk}")


def test_arithmetic_counts_what_is_there(pair):
    from torch.utils.flop_counter import FlopCounterMode

    from tfs.arithmetic import forward_flops_terms, kv_cache_terms, parameter_terms, total
    from tfs.model import KeyValueCache, Kind
    from tfs.train.checkpoint import tensor_shapes

    cfg, pos = pair.model.cfg, pair.tokens.shape[1]
    assert total(parameter_terms(cfg)) == sum(p.numel() for p in pair.model.parameters())
    with FlopCounterMode(display=False) as counter:
        pair.model.run_with_cache(pair.tokens)
    assert total(forward_flops_terms(cfg, pos, batch=2)) == counter.get_total_flops()
    past = KeyValueCache(cfg, batch=2)
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in past.layers)
    assert total(kv_cache_terms(cfg, cfg.n_ctx, batch=2)) == held
    named = {name: tuple(p.shape) for name, p in pair.model.named_parameters()}
    assert tensor_shapes(Kind(cfg)) == Kind(cfg).shapes() == named


def test_6nd_counts_the_experts_that_a_token_visits(pair):
    from tfs.arithmetic import forward_flops_terms, total, training_flops, training_flops_6nd

    cfg, pos = pair.model.cfg, pair.tokens.shape[1]
    terms = forward_flops_terms(cfg, pos, batch=2)
    left_out = [term for term in terms if "hook_" in term.name or term.name == "unembed.W_U"]
    estimate = training_flops_6nd(cfg, pos, batch=2).value
    assert training_flops(cfg, pos, batch=2) - estimate == 3 * total(left_out)
