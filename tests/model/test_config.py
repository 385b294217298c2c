import json
import re

import pytest
import torch


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_layers": 0}, "n_layers must be a whole number of at least 1, not 0"),
        ({"d_model": -3}, "d_model must be a whole number of at least 1, not -3"),
        ({"d_head": 0}, "d_head must be a whole number of at least 1, not 0"),
        ({"n_heads": 0}, "n_heads must be a whole number of at least 1, not 0"),
        ({"n_heads": True}, "n_heads must be a whole number of at least 1, not True"),
        ({"d_mlp": 0}, "d_mlp must be a whole number of at least 1, not 0"),
        ({"d_vocab": -1}, "d_vocab must be a whole number of at least 1, not -1"),
        ({"n_heads": -1, "d_head": 13}, "n_heads must be a whole number of at least 1, not 0"),
        ({"n_heads": 39}, "n_heads * d_head is 39 * 5 = 195, more than 16 times d_model = 12"),
        ({"act_fn": "tanh"}, "act_fn must be one of relu, gelu, gelu_new, silu, not 'tanh'"),
        (
            {"normalization_type": "BN"},
            "normalization_type must be one of LN, LNPre, RMS, RMSPre, None",
        ),
        ({"positional_embedding_type": "learned"}, "positional_embedding_type must be one of"),
        (
            {"attention_dir": "both"},
            "attention_dir must be one of causal, bidirectional, not 'both'",
        ),
        (
            {"dtype": torch.int64},
            "dtype must be one of torch.float32, torch.float64, torch.bfloat16",
        ),
        ({"attn_scale": 0.0}, "attn_scale must be a finite number above 0, not 0.0"),
        ({"attn_scale": float("nan")}, "attn_scale must be a finite number above 0, not nan"),
        ({"eps": -1e-5}, "eps must be a finite number above 0, not -1e-05"),
        ({"initializer_range": float("inf")}, "initializer_range must be a finite number above 0"),
    ],
)
def test_a_config_that_cannot_be_names_the_field_and_the_number(tiny_config, fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tiny_config(**fields)


def test_a_switch_is_on_or_off(tiny_config):
    """Set past the constructor, whose types are checked in tests before its own words come."""
    for switch, value in (("use_residual", "no"), ("attn_only", None)):
        cfg = tiny_config()
        object.__setattr__(cfg, switch, value)
        with pytest.raises(ValueError, match=f"{switch} must be one of False, True, not {value!r}"):
            cfg.__post_init__()


def test_what_is_left_out_is_filled_in_as_in_transformer_lens():
    from transformer_lens import HookedTransformerConfig

    import tfs

    sizes = {"n_layers": 1, "d_model": 24, "n_ctx": 4, "d_head": 6, "d_vocab": 9}
    sizes |= {"act_fn": "gelu", "initializer_range": -1.0}
    ours, theirs = tfs.TransformerConfig(**sizes), HookedTransformerConfig(**sizes)
    for field in ("n_heads", "d_mlp", "attn_scale", "initializer_range", "eps", "dtype"):
        assert getattr(ours, field) == getattr(theirs, field), field


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("norm", ["LN", None])
def test_a_config_survives_json(tiny_config, dtype, norm):
    cfg = tiny_config(dtype=dtype, normalization_type=norm, attn_scale=2.5, attn_only=True)
    assert type(cfg).from_dict(json.loads(json.dumps(cfg.to_dict()))) == cfg


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_hidden": 3}, "unknown config field: d_hidden"),
        ({"d_head": None}, "missing config field: d_head"),
        ({"dtype": "float16"}, "dtype must be one of float32, float64, bfloat16, not 'float16'"),
    ],
)
def test_from_dict_refuses_what_it_cannot_read(tiny_config, change, message):
    cfg = tiny_config()
    fields = {k: v for k, v in (cfg.to_dict() | change).items() if not (k in change and v is None)}
    with pytest.raises(ValueError, match=message):
        type(cfg).from_dict(fields)


def test_a_config_cannot_be_changed(tiny_config):
    with pytest.raises(AttributeError):
        tiny_config().n_layers = 3
