"""Ours and HookedTransformer 3.9 with the same weights: the same numbers at every hook point.

HookedTransformer calls ln1 three times (for queries, keys and values), we once; its three gradients
at ln1's hook points are parts of ours, so there they are summed. With "none" positions it has a
hook_pos_embed of zeros that we do not have.
"""

import random

import pytest
import torch
import torch.nn.functional as F

from tests.many import seeds

N_CONFIGS = 40
CHOICES = {
    "n_layers": (1, 1, 2, 3),
    "act_fn": ("relu", "gelu", "gelu_new", "silu"),
    "normalization_type": ("LN", "LNPre", None),
    "positional_embedding_type": ("standard", "sinusoidal", "none"),
    "attention_dir": ("causal", "causal", "bidirectional"),
    "attn_only": (False, False, True),
    "use_attn_result": (False, True),
    "use_attn_scale": (True, True, False),
    "attn_scale": (-1.0, -1.0, 3.0),
    "eps": (1e-5, 1e-3),
    "dtype": (torch.float32, torch.float64),
}
SIZES = {"d_model": (6, 24), "n_ctx": (3, 9), "n_heads": (1, 4), "d_head": (2, 7)}
SIZES |= {"d_mlp": (5, 30), "d_vocab": (7, 30)}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def random_fields(seed):
    rng = random.Random(seed)
    sizes = {field: rng.randint(*bounds) for field, bounds in SIZES.items()}
    return sizes | {field: rng.choice(choices) for field, choices in CHOICES.items()}


class Pair:
    """Both models, tokens to read, and how near their numbers must be."""

    def __init__(self, model, reference, tokens):
        self.model, self.reference, self.tokens = model, reference, tokens
        self.tolerance = TOLERANCE[model.cfg.dtype]
        self.absent = {"hook_pos_embed"} if not hasattr(model, "pos_embed") else set()

    def assert_close(self, ours, theirs, what):
        torch.testing.assert_close(
            ours,
            theirs,
            rtol=self.tolerance,
            atol=self.tolerance,
            msg=lambda text: f"{what}: {text}",
        )

    def assert_same_gradients(self, **hooks):
        """Of every parameter, from the same loss."""
        grads = []
        for each in (self.model, self.reference):
            each.zero_grad()
            logits = each.run_with_hooks(self.tokens, **hooks)
            F.cross_entropy(logits[:, :-1].transpose(1, 2), self.tokens[:, 1:]).backward()
            grads.append(
                {name: p.grad for name, p in each.named_parameters() if p.grad is not None}
            )
        ours, theirs = grads
        if self.model.cfg.positional_embedding_type != "standard":  # none, or fixed
            del theirs["pos_embed.W_pos"]
        for name, grad in theirs.items():
            self.assert_close(ours.pop(name), grad, name)
        assert not ours


@pytest.fixture(scope="module", params=seeds(N_CONFIGS))
def pair(request, model_and_reference, tokens_for):
    import tfs

    cfg = tfs.TransformerConfig(**random_fields(request.param))
    return Pair(*model_and_reference(cfg, seed=request.param), tokens_for(cfg))


def test_the_configurations_cover_every_choice():
    drawn = [random_fields(seed) for seed in range(N_CONFIGS)]
    for field, choices in CHOICES.items():
        assert {fields[field] for fields in drawn} == set(choices)
    assert any(fields["d_head"] * fields["n_heads"] != fields["d_model"] for fields in drawn)


def test_every_activation_in_the_same_order(pair):
    ours, theirs = (each.run_with_cache(pair.tokens)[1] for each in (pair.model, pair.reference))
    assert list(ours) == [name for name in theirs if name not in pair.absent]
    for name, activation in ours.items():
        pair.assert_close(activation, theirs[name], name)
    pair.assert_close(pair.model(pair.tokens), theirs["unembed.hook_out"], "logits, unwatched")


@torch.no_grad()
def test_the_same_intervention_at_every_hook_point(pair):
    clean, cache = pair.model.run_with_cache(pair.tokens)
    for name in cache:
        hooks = [(name, lambda activation, hook: activation * 0.6 + 0.1)]
        ours = pair.model.run_with_hooks(pair.tokens, fwd_hooks=hooks)
        pair.assert_close(ours, pair.reference.run_with_hooks(pair.tokens, fwd_hooks=hooks), name)
        assert not torch.allclose(ours, clean), f"{name} has no effect"


def test_the_gradients_of_every_parameter(pair):
    pair.assert_same_gradients()


def test_the_gradient_at_every_hook_point(pair):
    seen = []
    for each in (pair.model, pair.reference):
        grads = {}

        def add(grad, hook, grads=grads):
            grads[hook.name] = grads.get(hook.name, 0) + grad

        names = [(lambda name: name not in pair.absent, add)]
        logits = each.run_with_hooks(pair.tokens, bwd_hooks=names)
        F.cross_entropy(logits[:, :-1].transpose(1, 2), pair.tokens[:, 1:]).backward()
        seen.append(grads)
        each.reset_hooks()
    ours, theirs = seen
    if pair.model.cfg.positional_embedding_type == "sinusoidal":  # fixed: no gradient reaches it
        del theirs["hook_pos_embed"]
    fired = set(pair.model.run_with_cache(pair.tokens)[1])
    assert set(ours) == set(theirs) == fired - ({"hook_pos_embed"} - set(theirs))
    for name in ours:
        pair.assert_close(ours[name], theirs[name], name)


def test_a_changed_gradient_flows_back_alike(pair):
    for name in ("hook_embed", "attn.hook_v", "hook_resid_post", "attn.hook_attn_scores"):
        name = name if name == "hook_embed" else f"blocks.{pair.model.cfg.n_layers - 1}.{name}"
        pair.assert_same_gradients(bwd_hooks=[(name, lambda grad, hook: grad * -2)])


def test_either_loads_the_others_weights(pair):
    import tfs

    missed = pair.reference.load_state_dict(pair.model.state_dict(), strict=False)
    own = ["pos_embed.W_pos"] if pair.absent else []
    for layer in range(pair.model.cfg.n_layers):
        own += [f"blocks.{layer}.attn.{buffer}" for buffer in ("mask", "IGNORE")]
    assert sorted(missed.missing_keys) == sorted(own) and missed.unexpected_keys == []

    theirs = {
        name: weight
        for name, weight in pair.reference.state_dict().items()
        if not name.endswith((".mask", ".IGNORE"))
    }
    model = tfs.DecoderOnly(pair.model.cfg)
    missed = model.load_state_dict(theirs, strict=False)
    assert missed.missing_keys == [] and missed.unexpected_keys == own[: len(pair.absent)]
    pair.assert_close(model(pair.tokens), pair.reference(pair.tokens), "logits")
