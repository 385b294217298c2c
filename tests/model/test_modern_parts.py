"""What the parts of the modern decoder promise by themselves, and what their config refuses."""

import json
import re

import pytest
import torch


def test_a_rotary_score_depends_on_the_distance_alone(tiny_config):
    from tfs.model.rotary import Rotary

    for adjacent in (False, True):
        fields = {"positional_embedding_type": "rotary", "rotary_adjacent_pairs": adjacent}
        rotary = Rotary(tiny_config(d_head=6, n_ctx=40, **fields))
        g = torch.Generator().manual_seed(0)
        q, k = torch.randn(2, 1, 1, 1, 6, generator=g)

        def score(query_pos, key_pos, q=q, k=k, rotary=rotary):
            return (rotary(q, query_pos) * rotary(k, key_pos)).sum().item()

        assert score(7, 3) == pytest.approx(score(34, 30), abs=1e-5)
        assert abs(score(7, 3) - score(7, 4)) > 1e-3
        torch.testing.assert_close(rotary(q, 9).norm(), q.norm())
        assert torch.equal(rotary(q, 0), q)


def test_rotary_positions_turn_the_first_entries_only(tiny_config):
    from tfs.model.rotary import Rotary

    rotary = Rotary(tiny_config(d_head=6, positional_embedding_type="rotary", rotary_dim=4))
    x = torch.randn(1, 8, 2, 6, generator=torch.Generator().manual_seed(0))
    turned = rotary(x)
    assert torch.equal(turned[..., 4:], x[..., 4:])
    assert not torch.isclose(turned[:, 1:, :, :4], x[:, 1:, :, :4]).all()


def test_the_tables_of_a_model_made_in_inference_mode_can_be_trained_with(tiny_config, tokens_for):
    import tfs

    cfg = tiny_config(positional_embedding_type="rotary", d_head=4, rotary_base=123.0)
    with torch.inference_mode():
        tfs.DecoderOnly(cfg)
    model = tfs.DecoderOnly(cfg)
    model(tokens_for(cfg)).sum().backward()
    assert model.blocks[0].attn.W_Q.grad is not None


def test_alibi_takes_from_a_score_by_distance():
    from tfs.scores import alibi_bias, alibi_slopes

    slopes = alibi_slopes(8)
    assert slopes.tolist() == [2.0**-n for n in range(1, 9)]  # the paper's figure 3
    bias = alibi_bias(slopes, 2, 4)
    assert bias[0].tolist() == [[-1.0, -0.5, 0.0, 0.0], [-1.5, -1.0, -0.5, 0.0]]


def test_a_soft_cap_bounds_what_is_large_and_leaves_what_is_small():
    from tfs.scores import soft_capped

    x = torch.tensor([-1e6, -0.001, 0.0, 0.001, 1e6])
    assert soft_capped(x, 30.0).tolist() == pytest.approx([-30, -0.001, 0, 0.001, 30], abs=1e-6)
    assert soft_capped(x, -1.0) is x


@pytest.mark.parametrize(
    ("query_pos", "key_pos", "window", "rows"),
    [
        (4, 4, 2, ["1000", "1100", "0110", "0011"]),
        (2, 4, 3, ["1110", "0111"]),
        (1, 4, 1, ["0001"]),
        (3, 3, 9, ["100", "110", "111"]),
    ],
)
def test_the_mask_of_a_window(query_pos, key_pos, window, rows):
    from tfs.model.decoder import causal_mask

    got = causal_mask(query_pos, key_pos, window).int().tolist()
    assert ["".join(map(str, row)) for row in got] == rows


def test_a_token_outside_every_window_changes_nothing(tiny_config, randomised, tokens_for):
    fields = {"use_local_attn": True, "window_size": 3, "attn_types": ["local", "local"]}
    cfg = tiny_config(**fields)
    model, tokens = randomised(cfg), tokens_for(cfg)
    other = tokens.clone()
    other[:, 0] = (other[:, 0] + 1) % cfg.d_vocab
    before, after = model(tokens), model(other)
    assert torch.equal(before[:, 5:], after[:, 5:])  # two layers of 3 reach back 4 positions
    assert not torch.isclose(before[:, 4], after[:, 4]).all()


def test_query_heads_of_a_group_share_their_keys(tiny_config, randomised):
    model = randomised(tiny_config(n_heads=4, n_key_value_heads=2))
    assert model.W_K.shape == (2, 4, 12, 5) and model.blocks[0].attn._W_K.shape == (2, 12, 5)
    assert torch.equal(model.W_K[:, 0], model.W_K[:, 1])
    assert not torch.equal(model.W_K[:, 1], model.W_K[:, 2])
    for name in ("b_K", "b_V"):
        assert getattr(model.blocks[0].attn, name).shape == (4, 5)


def test_every_expert_that_a_token_does_not_visit_is_left_alone(
    tiny_config, randomised, tokens_for
):
    cfg = tiny_config(num_experts=4, experts_per_token=1, n_layers=1)
    model, tokens = randomised(cfg), tokens_for(cfg, batch=1, pos=1)
    model(tokens).sum().backward()
    chosen = model.run_with_cache(tokens)[1]["blocks.0.mlp.hook_expert_indices"].item()
    for number, expert in enumerate(model.blocks[0].mlp.experts):
        assert (expert.W_in.weight.grad.abs().sum() > 0) == (number == chosen)


@pytest.mark.parametrize(
    "fields",
    [
        {"num_experts": 3, "experts_per_token": 2, "n_heads": 4, "n_key_value_heads": 2},
        {"gated_mlp": True, "positional_embedding_type": "rotary", "d_head": 4},
    ],
    ids=["experts", "gated"],
)
def test_every_matrix_is_drawn_by_the_seed_and_decays(tiny_config, fields):
    import tfs
    from tfs.train import TrainConfig
    from tfs.train.optimizer import make_optimizer

    cfg = tiny_config(**fields, seed=3)
    torch.manual_seed(0)
    model = tfs.DecoderOnly(cfg)
    assert torch.rand(1).item() == torch.rand(1, generator=torch.manual_seed(0)).item()
    again = tfs.DecoderOnly(cfg)
    decayed, rest = make_optimizer(model, TrainConfig(steps=1, weight_decay=0.1)).param_groups
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, again.get_parameter(name)), name
        is_matrix = "W_" in name
        assert any(parameter is each for each in (decayed if is_matrix else rest)["params"]), name
        if is_matrix:
            assert 0.01 < parameter.std() < 0.03, name


def test_a_modern_model_survives_saving(tiny_config, randomised, tokens_for, tmp_path):
    from tfs.model import Kind
    from tfs.train.checkpoint import model_from, read_config, read_weights, write_config
    from tfs.train.files import save_tensors

    fields = {"use_local_attn": True, "window_size": 3, "attn_types": ["local", "global"]}
    fields |= {"num_experts": 3, "experts_per_token": 2, "n_heads": 4, "n_key_value_heads": 2}
    cfg = tiny_config(**fields, positional_embedding_type="rotary", d_head=4)
    assert type(cfg).from_dict(json.loads(json.dumps(cfg.to_dict()))) == cfg and hash(cfg)
    model, tokens = randomised(cfg), tokens_for(cfg)
    write_config(Kind(cfg), tmp_path)
    save_tensors(dict(model.named_parameters()), tmp_path / "model.safetensors")
    read = read_config(tmp_path / "config.json")
    again = model_from(read, read_weights(tmp_path / "model.safetensors", read))
    assert read == Kind(cfg) and torch.equal(again(tokens), model(tokens))


def test_a_capped_model_is_trained_on_its_capped_logits(tiny_config, randomised, tokens_for):
    from tfs.tasks import Batch
    from tfs.train.loss import next_token_loss, training_loss

    model = randomised(tiny_config(output_logits_soft_cap=0.5))
    tokens = tokens_for(model.cfg)
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    batch = Batch(tokens, everywhere, everywhere)
    expected = next_token_loss(model(tokens), tokens, everywhere)
    torch.testing.assert_close(training_loss(model, batch), expected)
    assert model(tokens).abs().max() <= 0.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_key_value_heads": 2}, "n_heads must be a multiple of n_key_value_heads, but 3 is"),
        ({"n_key_value_heads": 0}, "n_key_value_heads must be a whole number of at least 1, not 0"),
        (
            {"positional_embedding_type": "rotary"},
            "rotary_dim must be even and at most d_head = 5, since entries are turned in pairs, "
            "not 5",
        ),
        ({"rotary_dim": 6}, "rotary_dim must be even and at most d_head = 5"),
        ({"rotary_base": 0}, "rotary_base must be a finite number above 0, not 0"),
        ({"attn_scores_soft_cap": 0.0}, "attn_scores_soft_cap must be a finite number above 0, or"),
        ({"output_logits_soft_cap": -2.0}, "output_logits_soft_cap must be a finite number above"),
        ({"use_local_attn": True}, "use_local_attn needs window_size and attn_types, not None and"),
        (
            {"attn_types": ["local"]},
            "attn_types must name one type for each of n_layers = 2, not 1",
        ),
        ({"attn_types": ["local", "far"]}, "attn_types must be made of global, local, not 'far'"),
        ({"window_size": 0}, "window_size must be a whole number of at least 1, not 0"),
        ({"num_experts": 2}, "num_experts and experts_per_token go together, but they are 2 and"),
        ({"experts_per_token": 2}, "num_experts and experts_per_token go together, but they are"),
        (
            {"num_experts": 2, "experts_per_token": 3},
            "experts_per_token must be at most num_experts = 2, not 3",
        ),
        (
            {"parallel_attn_mlp": True, "attn_only": True},
            "attn_only must be False and use_residual",
        ),
        ({"parallel_attn_mlp": True, "use_residual": False}, "True, not False and False"),
    ],
)
def test_choices_that_clash_name_fields_and_numbers(tiny_config, fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tiny_config(**fields)


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma", "mixtral"])
def test_a_family_in_a_size_of_ones_own(family, randomised, tokens_for, reference_of):
    from tfs.model.presets import preset

    sizes = {"n_layers": 2, "d_model": 32, "n_heads": 4, "n_ctx": 8, "d_vocab": 13}
    cfg = preset(family, **sizes, rotary_base=500.0)
    assert (cfg.normalization_type, cfg.positional_embedding_type) == ("RMS", "rotary")
    assert (cfg.n_key_value_heads, cfg.d_head, cfg.rotary_base) == (1, 8, 500.0)
    assert (cfg.window_size == 4) == (family == "mistral")
    assert (cfg.num_experts == 8) == (family == "mixtral")
    assert cfg.d_mlp == {"llama": 88, "gemma": 256}.get(family, 112)
    model, tokens = randomised(cfg), tokens_for(cfg)
    reference = reference_of(model)
    torch.testing.assert_close(model(tokens), reference(tokens), rtol=1e-5, atol=1e-5)


def test_a_family_that_is_not_there_is_refused():
    from tfs.model.presets import preset

    with pytest.raises(ValueError, match="family must be one of llama, mistral, gemma, mixtral"):
        preset("falcon", n_layers=1, d_model=8, n_heads=2, n_ctx=4, d_vocab=5)
