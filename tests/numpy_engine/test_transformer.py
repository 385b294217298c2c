"""The numpy Transformer beside the torch one: every hook, every gradient, every file."""

import dataclasses
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.numpy_engine.beside_torch import same

CHECKPOINTS = Path(__file__).parents[2] / "assets" / "checkpoints"
BUNDLED = ["mirror", "induction", "induction-4-heads", "mirror-no-positions", "shakespeare"]
VARIANTS = {
    "plain": {},
    "float64": {"dtype": torch.float64},
    "tied": {"tie_word_embeddings": True, "act_fn": "gelu"},
    "sinusoidal": {"positional_embedding_type": "sinusoidal", "act_fn": "silu"},
    "no positions": {"positional_embedding_type": "none", "act_fn": "gelu_new"},
    "attention only": {"attn_only": True},
    "post-norm": {"norm_first": False},
    "post-norm, attention only": {"norm_first": False, "attn_only": True},
    "bare norm": {"normalization_type": "LNPre"},
    "no norm": {"normalization_type": None},
    "both ways": {"attention_dir": "bidirectional"},
    "no residual": {"use_residual": False},
    "each head": {"use_attn_result": True},
    "unscaled": {"use_attn_scale": False, "scale_embedding": True},
}


@pytest.fixture(scope="session")
def as_numpy(engine):
    """A torch model -> the numpy one with its config and weights."""

    def make(model, **fields):
        ours = engine.Transformer(engine.Config.from_dict(model.cfg.to_dict() | fields))
        ours.load_state_dict({n: w.detach().numpy() for n, w in model.state_dict().items()})
        return ours

    return make


def same_run(model, ours, tokens, digits):
    logits, cache = model.run_with_cache(tokens)
    value, own_cache = ours.run_with_cache(_as(ours, tokens))
    assert list(own_cache) == list(cache)
    assert list(ours.hook_dict) == list(model.hook_dict)
    same(value, logits, digits)
    for name in cache:
        same(own_cache[name], cache[name], digits)
    same(ours(_as(ours, tokens)), model(tokens), digits)  # unwatched: the fused norm


def _as(ours, tokens):
    import tfs.numpy_engine

    return tfs.numpy_engine.Tensor(tokens.numpy())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_hook_and_gradient(variant, engine, as_numpy, tiny_config, randomised, tokens_for):
    cfg = tiny_config(**VARIANTS[variant])
    model, tokens = randomised(cfg), tokens_for(cfg)
    ours, digits = as_numpy(model), 1e-10 if cfg.dtype == torch.float64 else 1e-5
    same_run(model, ours, tokens, digits)

    torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()).backward()
    engine.cross_entropy(ours(_as(ours, tokens)), _as(ours, tokens)).backward()
    theirs = dict(model.named_parameters())
    assert [n for n, _ in ours.named_parameters()] == list(theirs) or cfg.tie_word_embeddings
    for name, parameter in ours.named_parameters():
        assert parameter.requires_grad == theirs[name].requires_grad
        if parameter.requires_grad:
            same(parameter.grad, theirs[name].grad, digits)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_checkpoints(name, dtype, engine, as_numpy, tokens_for):
    import tfs

    model = tfs.load(name).model
    if dtype == "float64":
        cfg = dataclasses.replace(model.cfg, dtype=torch.float64)
        weights, model = model.state_dict(), tfs.DecoderOnly(cfg)
        model.load_state_dict({n: w.double() for n, w in weights.items()})
        ours = as_numpy(model)
    else:
        ours = engine.load(CHECKPOINTS / name)
    same_run(model, ours, tokens_for(model.cfg), 1e-5 if dtype == "float32" else 1e-10)


def test_what_numpy_saved_opens_in_torch(engine, tmp_path, tokens_for):
    import tfs

    for tied in (False, True):
        cfg = engine.Config(2, 12, 8, 5, 11, n_heads=3, tie_word_embeddings=tied, seed=3)
        ours, directory = engine.Transformer(cfg), tmp_path / str(tied)
        engine.save(ours, directory, tfs.tokenizers.IntegerTokenizer(11), "# a card\n")
        bundle = tfs.load(directory)
        assert bundle.card == "# a card\n" and bundle.tokenizer.d_vocab == 11
        assert sorted(path.name for path in directory.iterdir()) == [
            "README.md",
            "config.json",
            "model.safetensors",
            "tokenizer.json",
        ]
        tokens = tokens_for(bundle.model.cfg)
        same(ours(_as(ours, tokens)), bundle.model(tokens), 1e-5)
        again = engine.load(directory)
        state = again.state_dict()
        assert all(np.array_equal(state[n], w) for n, w in ours.state_dict().items())
        bundle.model.load_state_dict({n: torch.tensor(w) for n, w in state.items()})
        shapes = {n: tuple(w.shape) for n, w in bundle.model.state_dict().items()}
        assert {n: w.shape for n, w in state.items()} == shapes


BROKEN = {
    "experts": ({"num_experts": 2}, "no num_experts"),
    "rotary": ({"positional_embedding_type": "rotary"}, "not 'rotary'"),
    "cap": ({"output_logits_soft_cap": 30.0}, "no output_logits_soft_cap"),
    "local": ({"use_local_attn": True}, "no use_local_attn"),
    "RMS": ({"normalization_type": "RMS"}, "LN, LNPre, None, not 'RMS'"),
    "bfloat16": ({"dtype": "bfloat16"}, "float32, float64, not 'bfloat16'"),
    "encoder-decoder": ({"model_type": "tfs-encoder-decoder"}, "reads 'tfs-decoder-only', 'tfs-e"),
    "version": ({"format_version": 2}, "format_version is 2"),
    "unknown": ({"colour": "red"}, "unknown config field: colour"),
    "size": ({"d_model": 0}, "d_model must be a whole number of at least 1, not 0"),
    "shape": ({"d_vocab": 99}, r"embed.W_E has shape \(100, 64\), but this model's is \(99, 64\)"),
    "layers": ({"n_layers": 2}, "lack blocks.1"),
    "foreign": ({"attn_only": True}, "have blocks.0.ln2.b, which"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_other_checkpoints_are_refused_in_one_sentence(name, engine, tmp_path):
    changes, says = BROKEN[name]
    fields = json.loads((CHECKPOINTS / "mirror" / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(fields | changes))
    shutil.copy(CHECKPOINTS / "mirror" / "model.safetensors", tmp_path)
    with pytest.raises(ValueError, match=says) as error:
        engine.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_missing_and_damaged_files(file, engine, tmp_path):
    for part in ("config.json", "model.safetensors"):
        shutil.copy(CHECKPOINTS / "mirror" / part, tmp_path)
    (tmp_path / file).write_text("?")
    with pytest.raises(ValueError, match=f"{file} is damaged"):
        engine.load(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=f"{file} is missing"):
        engine.load(tmp_path)


@pytest.fixture
def small(engine):
    return engine.Transformer(engine.Config(2, 12, 8, 5, 11, n_heads=3, seed=0))


def test_hooks_change_what_flows_on_and_leave_nothing(engine, small):
    tokens = engine.Tensor([[1, 2, 3]])
    plain, seen = small(tokens), []

    def nothing(z, hook):
        seen.append(hook.name)
        return z * 0

    where = "blocks.1.attn.hook_z"
    with pytest.raises(ValueError, match="no hook point named 'blocks.9.hook_z'"):
        small.run_with_hooks(tokens, fwd_hooks=[("blocks.9.hook_z", nothing)])
    changed = small.run_with_hooks(tokens, fwd_hooks=[(where, nothing)])
    assert seen == [where] and small.hook_dict[where].layer() == 1
    assert not np.allclose(changed.data, plain.data)
    with small.hooks(fwd_hooks=[(where, nothing)]):
        thread = threading.Thread(target=lambda: seen.append(small(tokens)))
        thread.start()
        thread.join()
    assert np.array_equal(seen[-1].data, plain.data)
    assert np.array_equal(small(tokens).data, plain.data)


def test_backward_hooks_see_and_change_gradients(engine, small):
    tokens, seen = engine.Tensor([[1, 2, 3]]), []

    def stop(gradient, hook):
        seen.append(gradient.shape)
        return gradient * 0

    loss = small.run_with_hooks(tokens, bwd_hooks=[("blocks.0.hook_resid_pre", stop)]).square()
    loss.sum().backward()
    assert seen == [(1, 3, 12)]
    assert not small.embed.W_E.grad.data.any() and small.unembed.W_U.grad.data.any()


def test_padding_is_not_attended_to(engine, small):
    tokens = np.array([[1, 2, 3, 0], [4, 5, 6, 7]])
    padded = np.array([[True, True, True, False], [True] * 4])
    logits, cache = small.run_with_cache(engine.Tensor(tokens), padded)
    pattern = cache["blocks.0.attn.hook_pattern"].data
    assert not pattern[0, :, :, 3].any() and pattern[1, :, 3, 3].all()
    alone = small(engine.Tensor(tokens[:1, :3]))
    np.testing.assert_allclose(logits.data[0, :3], alone.data[0], atol=1e-6)
    nobody = small(engine.Tensor(tokens), np.zeros((2, 4)))
    assert np.isfinite(nobody.data).all()
    nobody.sum().backward()
    assert all(np.isfinite(p.grad.data).all() for p in small.parameters())


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        ([[0] * 9], "reads 1 to 8 tokens .* these are 9"),
        ([[]], "these are 0|ids are whole numbers"),
        ([1, 2], r"two axes, batch and pos, and these have shape \(2,\)"),
        ([[11]], "must lie in 0 ... 10"),
        ([[-1]], "must lie in 0 ... 10"),
    ],
)
def test_texts_that_cannot_be_read(tokens, says, engine, small):
    with pytest.raises(ValueError, match=says):
        small(engine.Tensor(np.array(tokens, dtype=np.int64)))


def test_state_dicts_that_do_not_fit(engine, small):
    state = small.state_dict()
    with pytest.raises(ValueError, match="lack embed.W_E"):
        small.load_state_dict({n: w for n, w in state.items() if n != "embed.W_E"})
    with pytest.raises(ValueError, match="have extra, which"):
        small.load_state_dict(state | {"extra": np.ones(1)})
    tied = engine.Transformer(engine.Config(1, 4, 4, 2, 5, tie_word_embeddings=True, seed=0))
    state = tied.state_dict()
    for name, says in (("unembed.W_U", "not embed.W_E transposed"), ("unembed.b_U", "not zero")):
        with pytest.raises(ValueError, match=says):
            tied.load_state_dict(state | {name: state[name] + 1})


def test_cross_attention(engine, tiny_config):
    """Queries of one text, keys and values of another, and a mask that hides one key."""
    from tfs.model.layers import Attention

    g = torch.Generator().manual_seed(0)
    theirs = Attention(tiny_config(dtype=torch.float64))
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, generator=g)
    cfg = engine.Config.from_dict(tiny_config(dtype=torch.float64).to_dict())
    ours = engine.Attention(cfg, np.random.default_rng(0))
    ours.load_state_dict({n: w.detach().numpy() for n, w in theirs.state_dict().items()})
    x, y = (torch.randn(2, pos, 12, generator=g, dtype=torch.float64) for pos in (3, 5))
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[:, 2] = False
    read = engine.Tensor(y.numpy())
    same(ours(engine.Tensor(x.numpy()), read, read, mask.numpy()), theirs(x, y, y, mask), 1e-10)
