import copy
import math

import pytest
import torch


@pytest.fixture
def pair(tiny_config, randomised):
    """A model and a copy of it that may be changed."""
    model = randomised(tiny_config()).requires_grad_(False)
    return model, copy.deepcopy(model)


def test_nothing_has_moved(interp, pair):
    change = interp.weight_change(*pair)
    assert set(change.values()) == {0.0}
    blocks = [f"{layer}_{part}" for layer in (0, 1) for part in ("ln1", "attn", "ln2", "mlp")]
    assert sorted(change) == sorted(["embed", "pos_embed", *blocks, "ln_final", "unembed"])


@pytest.mark.parametrize(("by", "count"), [("component", 4 + 2 * 4), ("head", 4 + 2 * (3 + 4))])
def test_all_weights_half_as_long_again(interp, pair, by, count):
    before, after = pair
    for parameter in after.parameters():
        parameter *= 1.5
    change = interp.weight_change(before, after, by=by)
    assert list(change.values()) == pytest.approx([0.5] * count, rel=1e-6)


def test_one_head_moved(interp, pair):
    before, after = pair
    after.blocks[1].attn.W_V[2] += 0.25
    change = interp.weight_change(before, after, by="head")
    assert [name for name, moved in change.items() if moved] == ["L1H2"]
    attn = before.blocks[1].attn
    own = [getattr(attn, f"{kind}_{name}")[2] for kind in "Wb" for name in "QKV"] + [attn.W_O[2]]
    length = math.sqrt(sum(weight.square().sum().item() for weight in own))
    moved = 0.25 * math.sqrt(before.cfg.d_model * before.cfg.d_head)
    assert change["L1H2"] == pytest.approx(moved / length, rel=1e-5)
    assert 0 < interp.weight_change(before, after)["1_attn"] < change["L1H2"]


def test_what_was_zero(interp, pair):
    before, after = pair
    before.blocks[0].attn.b_O.zero_()
    after.blocks[0].attn.b_O.zero_()
    assert interp.weight_change(before, after, by="head")["0_b_O"] == 0.0
    after.blocks[0].attn.b_O[3] = 1e-3
    assert interp.weight_change(before, after, by="head")["0_b_O"] == math.inf


def test_a_hooked_transformer_moves_alike(interp, reference_of, pair):
    before, after = pair
    for parameter in after.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    ours = interp.weight_change(before, after)
    theirs = interp.weight_change(reference_of(before), reference_of(after))
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_models_that_cannot_be_compared_and_another_by(interp, pair, tiny_config, randomised):
    with pytest.raises(ValueError, match="weights of different names or shapes"):
        interp.weight_change(pair[0], randomised(tiny_config(d_mlp=7)))
    with pytest.raises(ValueError, match="by must be"):
        interp.weight_change(*pair, by="layer")
