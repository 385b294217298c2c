"""The numpy encoder and its two classifiers beside torch's: hooks, gradients and files."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.numpy_engine.beside_torch import same

CHECKPOINTS = Path(__file__).parents[2] / "assets" / "checkpoints"
LABELS = ("O", "B-PER", "I-PER", "B-LOC")
KINDS = ("EncoderOnly", "TokenClassifier", "PairClassifier")
VARIANTS = {
    "post-norm": {},
    "float64": {"dtype": torch.float64, "act_fn": "gelu"},
    "pre-norm": {"norm_first": True},
    "pre-norm, float64": {"norm_first": True, "dtype": torch.float64},
    "post-norm by name": {"norm_first": False, "attention_dir": "bidirectional"},
    "tied": {"tie_word_embeddings": True, "act_fn": "gelu_new"},
    "tied, pre-norm, float64": {
        "tie_word_embeddings": True,
        "norm_first": True,
        "dtype": torch.float64,
    },
    "sinusoidal and scaled": {"positional_embedding_type": "sinusoidal", "scale_embedding": True},
    "no positions": {"positional_embedding_type": "none", "act_fn": "silu"},
    "attention only": {"attn_only": True},
    "bare norm": {"normalization_type": "LNPre"},
    "no norm": {"normalization_type": None},
    "each head": {"use_attn_result": True},
}


def made(kind, cfg):
    """A torch model with random numbers of order 1 everywhere, biases and norms too."""
    import tfs

    encoder, g = tfs.EncoderOnly(cfg), torch.Generator().manual_seed(1)
    model = encoder if kind == "EncoderOnly" else getattr(tfs, kind)(encoder, LABELS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "W_pos" in name and cfg.positional_embedding_type == "sinusoidal":
                continue
            values = torch.randn(parameter.shape, generator=g, dtype=cfg.dtype) * 0.3
            parameter.copy_(values + 1 if name.endswith(".w") else values)
    return model


@pytest.fixture(scope="session")
def twin_of(engine):
    """A torch model -> numpy's with its config, labels and weights."""

    def make(model):
        ours = engine.EncoderOnly(engine.Config.from_dict(model.cfg.to_dict()))
        if hasattr(model, "labels"):
            ours = getattr(engine, type(model).__name__)(ours, model.labels)
        ours.load_state_dict({n: w.detach().numpy() for n, w in model.state_dict().items()})
        return ours

    return make


def texts(cfg, batch=3, pos=7):
    """Tokens, segments and who is there: the first text whole, the others with padding."""
    g = torch.Generator().manual_seed(2)
    tokens = torch.randint(cfg.d_vocab, (batch, pos), generator=g)
    is_token = torch.arange(pos) < torch.tensor([[pos], [pos - 2], [3]])
    segments = ((torch.arange(pos) > 2) & is_token).long()
    return tokens, segments, is_token


def as_tensors(engine, arrays):
    return [None if array is None else engine.Tensor(array.numpy()) for array in arrays]


def same_run(engine, model, ours, inputs, digits):
    value, cache = model.run_with_cache(*inputs)
    own, own_cache = ours.run_with_cache(*as_tensors(engine, inputs))
    assert list(own_cache) == list(cache)
    assert list(ours.hook_dict) == list(model.hook_dict)
    same(own, value, digits)
    for name in cache:
        same(own_cache[name], cache[name], digits)
    same(ours(*as_tensors(engine, inputs)), model(*inputs), digits)  # unwatched: the fused norm


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_and_gradient(kind, variant, engine, twin_of, tiny_config) -> None:
    cfg = tiny_config(**VARIANTS[variant])
    model = made(kind, cfg)
    ours, digits = twin_of(model), 1e-10 if cfg.dtype == torch.float64 else 1e-5
    inputs = texts(cfg)
    for given in (inputs, inputs[:1]):
        same_run(engine, model, ours, given, digits)

    targets = inputs[0] if kind == "EncoderOnly" else inputs[0] % len(LABELS)
    targets = targets[:, 0] if kind == "PairClassifier" else targets.where(inputs[2], -100)
    logits = model(*inputs).flatten(0, -2)
    torch.nn.functional.cross_entropy(logits, targets.flatten()).backward()
    (target,) = as_tensors(engine, (targets,))
    engine.cross_entropy(ours(*as_tensors(engine, inputs)), target).backward()
    theirs, own = dict(model.named_parameters()), dict(ours.named_parameters())
    assert list(own) == list(theirs)
    for name, parameter in own.items():
        assert parameter.requires_grad == theirs[name].requires_grad, name
        if theirs[name].grad is None:
            assert parameter.grad is None, name
        else:
            same(parameter.grad, theirs[name].grad, digits)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_torchs_names_and_shapes(kind, engine, tiny_config) -> None:
    for tied in (False, True):
        model = made(kind, tiny_config(tie_word_embeddings=tied))
        cfg = engine.Config.from_dict(model.cfg.to_dict())
        ours = engine.EncoderOnly(cfg)
        ours = ours if kind == "EncoderOnly" else getattr(engine, kind)(ours, LABELS)
        shapes = {name: w.shape for name, w in ours.state_dict().items()}
        assert shapes == {name: tuple(w.shape) for name, w in model.state_dict().items()}
        state = {name: torch.tensor(w) for name, w in ours.state_dict().items()}
        model.load_state_dict(state)  # as a state_dict goes back to torch


def test_random_weights_come_from_the_seed(engine) -> None:
    def made(seed):
        encoder = engine.EncoderOnly(engine.Config(1, 8, 6, 4, 9, seed=seed))
        return engine.PairClassifier(encoder).state_dict()

    one, again, other = made(3), made(3), made(4)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["classifier.W"], other["classifier.W"])
    assert not np.array_equal(one["pooler.W"], one["encoder.embed.embed.W_E"][:8])


@pytest.fixture(scope="module")
def tags():
    import tfs

    return tfs.load("tags")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bundled_tagger(dtype, engine, twin_of, tags) -> None:
    """Opened from its four files, on held-out sentences of several lengths."""
    import tfs
    from tfs.tasks import TagsTask

    batch = TagsTask().sample(12, 5, "held_out")
    inputs = (batch.tokens, batch.segments, batch.token_mask)
    model, ours = tags.model, engine.load(CHECKPOINTS / "tags")
    assert isinstance(ours, engine.TokenClassifier) and ours.labels == TagsTask.labels
    if dtype == "float64":
        cfg = dataclasses.replace(model.cfg, dtype=torch.float64)
        model = tfs.TokenClassifier(tfs.EncoderOnly(cfg), model.labels)
        model.load_state_dict({n: w.double() for n, w in tags.model.state_dict().items()})
        ours = twin_of(model)
    same_run(engine, model, ours, inputs, 1e-5 if dtype == "float32" else 1e-10)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_either_opens_what_the_other_saved(kind, tied, engine, tiny_config, tmp_path) -> None:
    import tfs
    from tfs.tokenizers import IntegerTokenizer

    model = made(kind, tiny_config(tie_word_embeddings=tied))
    inputs = texts(model.cfg)
    tfs.save(tfs.Bundle(model, IntegerTokenizer(11), "# card\n"), tmp_path / "torch")
    ours = engine.load(tmp_path / "torch")
    assert type(ours).__name__ == kind
    same(ours(*as_tensors(engine, inputs)), model(*inputs), 1e-5)

    for head in ours.parameters():
        head.data = head.data * np.float32(0.5)
    engine.save(ours, tmp_path / "numpy", IntegerTokenizer(11), "# another\n")
    bundle = tfs.load(tmp_path / "numpy")
    assert sorted(path.name for path in (tmp_path / "numpy").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert type(bundle.model).__name__ == kind and bundle.card == "# another\n"
    assert kind == "EncoderOnly" or bundle.model.labels == LABELS
    same(ours(*as_tensors(engine, inputs)), bundle.model(*inputs), 1e-5)


BROKEN = {
    "encoder-decoder": ({"model_type": "tfs-encoder-decoder"}, "is 'tfs-encoder-decoder'; the num"),
    "no type": ({"model_type": ["tags"]}, r"model_type is \['tags'\]"),
    "version": ({"format_version": 2}, "format_version is 2; the numpy engine reads 1"),
    "labels": ({"labels": "PER"}, "labels must be a list of names"),
    "numbered labels": ({"labels": [1, 2]}, "labels must be a list of names"),
    "one label": ({"labels": ["O"]}, "at least 2 labels to choose from, not 1"),
    "another number": ({"labels": ["O", "B-PER"]}, r"classifier.W has shape \(64, 9\)"),
    "rotary": ({"positional_embedding_type": "rotary"}, "not 'rotary'"),
    "a pair": ({"model_type": "tfs-pair-classifier"}, "lack pooler.W"),
    "untied": ({"tie_word_embeddings": False}, "lack encoder.unembed.W_U"),
    "pre-norm": ({"norm_first": True}, "lack encoder.ln_final.w"),
    "size": ({"d_vocab": 0}, "d_vocab must be a whole number of at least 1, not 0"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_refused_in_one_sentence(name, engine, tmp_path) -> None:
    changes, says = BROKEN[name]
    fields = json.loads((CHECKPOINTS / "tags" / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(fields | changes))
    shutil.copy(CHECKPOINTS / "tags" / "model.safetensors", tmp_path)
    with pytest.raises(ValueError, match=says) as error:
        engine.load(tmp_path)
    assert "\n" not in str(error.value)


def test_what_cannot_be_run_is_refused_in_one_sentence(engine) -> None:
    model = engine.PairClassifier(engine.EncoderOnly(engine.Config(1, 8, 6, 4, 9, seed=0)))
    row = engine.Tensor([[1, 2, 3]])
    refused = (
        ((engine.Tensor([1, 2]),), r"two axes, batch and pos, and these have shape \(2,\)"),
        ((engine.Tensor([[]]),), "reads 1 to 6 tokens .n_ctx., and these are 0"),
        ((engine.Tensor([[1] * 7]),), "and these are 7"),
        ((engine.Tensor([[1, 9]]),), r"must lie in 0 ... 8 \(d_vocab is 9\)"),
        ((row, engine.Tensor([[0, 2, 1]])), "0 .first text. or 1 .second., but these run from 0"),
        ((row, engine.Tensor([[0, 1]])), r"token_type_ids has shape \(1, 2\), but the tokens have"),
        ((row, None, engine.Tensor([[1]])), r"one_zero_attention_mask has shape \(1, 1\)"),
    )
    for inputs, says in refused:
        with pytest.raises(ValueError, match=says) as error:
            model(*inputs)
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="at least 2 labels"):
        engine.TokenClassifier(engine.EncoderOnly(model.cfg), ["O"])


def test_padding_changes_nothing_of_what_is_there(engine) -> None:
    cfg = engine.Config(2, 8, 6, 4, 9, seed=0, initializer_range=0.5, dtype="float64")
    model = engine.TokenClassifier(engine.EncoderOnly(cfg), 3)
    alone = model(engine.Tensor([[1, 2, 3]]))
    filled = model(
        engine.Tensor([[1, 2, 3, 7, 8]]), None, engine.Tensor([[True, True, True, False, False]])
    )
    np.testing.assert_allclose(filled.data[:, :3], alone.data, rtol=1e-12)


def test_dropout_is_in_the_blocks_and_only_while_training(engine) -> None:
    model = engine.EncoderOnly(engine.Config(1, 8, 6, 4, 9, seed=0), p_dropout=0.5)
    tokens = engine.Tensor([[1, 2, 3]])
    model.eval()
    assert np.array_equal(model(tokens).data, model(tokens).data)
    model.train()
    assert not np.array_equal(model(tokens).data, model(tokens).data)
