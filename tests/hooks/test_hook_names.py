import itertools

import pytest

BLOCK = """hook_resid_pre ln1.hook_scale ln1.hook_normalized
attn.hook_q attn.hook_k attn.hook_v attn.hook_attn_scores attn.hook_pattern attn.hook_z
hook_attn_out hook_resid_mid ln2.hook_scale ln2.hook_normalized mlp.hook_pre mlp.hook_post
hook_mlp_out hook_resid_post""".split()

TWO_LAYERS = [
    "hook_embed",
    "hook_pos_embed",
    *(f"blocks.{layer}.{name}" for layer in (0, 1) for name in BLOCK),
    "ln_final.hook_scale",
    "ln_final.hook_normalized",
    "unembed.hook_in",
    "unembed.hook_out",
]
NAMES = """embed pos_embed k q v z key query value attn attn_logits attn_scores pattern result
pre post mlp_pre mlp_post resid_pre resid_mid resid_post attn_out mlp_out scale
normalized""".split()


def fired(model, tokens):
    return list(model.run_with_cache(tokens)[1])


def without(*words):
    return [name for name in TWO_LAYERS if not any(word in name for word in words)]


def with_result():
    at = {name: name.replace("hook_z", "hook_result") for name in TWO_LAYERS if "hook_z" in name}
    return [each for name in TWO_LAYERS for each in (name, at.get(name)) if each]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, TWO_LAYERS),
        ({"normalization_type": "LNPre"}, TWO_LAYERS),
        ({"tie_word_embeddings": True}, TWO_LAYERS),
        ({"positional_embedding_type": "none"}, without("pos_embed")),
        ({"positional_embedding_type": "sinusoidal"}, TWO_LAYERS),
        ({"attention_dir": "bidirectional", "use_residual": False}, TWO_LAYERS),
        ({"normalization_type": None}, without("ln1", "ln2", "ln_final")),
        ({"attn_only": True}, without("ln2", "mlp", "resid_mid")),
        ({"use_attn_result": True}, with_result()),
    ],
)
def test_the_hook_points_that_fire_in_order(tiny_config, randomised, tokens_for, fields, expected):
    cfg = tiny_config(**fields)
    assert fired(randomised(cfg), tokens_for(cfg)) == expected


def test_every_hook_point_knows_its_name(tiny_config, randomised):
    points = randomised(tiny_config()).hook_dict
    assert {name: point.name for name, point in points.items()} == {name: name for name in points}
    assert set(TWO_LAYERS) < set(points)
    assert points["blocks.1.attn.hook_z"].layer() == 1


def get_act_name(*args):
    from transformer_lens.utilities import get_act_name as reference

    return reference(*args)


@pytest.mark.parametrize("name", NAMES)
def test_short_names_are_transformer_lenss(name):
    from tfs.hooks import act_name

    sublayers = (None, "a", "attn", "attention", "m", "mlp", "b", "block", "blocks", "ln1", "ln2")
    for layer, sublayer in itertools.product((0, 3, 11), sublayers):
        assert act_name(name, layer, sublayer) == get_act_name(name, layer, sublayer)
    assert act_name(name) == get_act_name(name)


@pytest.mark.parametrize(
    "name",
    "k6 q12 scale4ln1 normalized10ln2 pre5 post0 pattern3 attn2 z1a scale1 resid1".split()
    + TWO_LAYERS,
)
def test_names_that_carry_their_layer(name):
    from tfs.hooks import act_name

    assert act_name(name) == get_act_name(name)
