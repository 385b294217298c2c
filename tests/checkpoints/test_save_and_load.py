"""Checkpoints: what is written comes back; the damaged and the foreign are refused."""

import json
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file


@pytest.fixture
def tfs():
    import tfs

    return tfs


@pytest.fixture
def saved(tfs, tmp_path):
    from tfs.tokenizers import IntegerTokenizer

    cfg = tfs.TransformerConfig(
        n_layers=1, d_model=8, n_ctx=6, n_heads=2, d_head=4, d_vocab=11, seed=0
    )
    bundle = tfs.Bundle(tfs.DecoderOnly(cfg), IntegerTokenizer(11), "# a card")
    tfs.save(bundle, tmp_path / "here")
    return bundle, tmp_path / "here"


@pytest.mark.parametrize("tied", [False, True])
def test_what_is_saved_comes_back(tfs, tmp_path, tied) -> None:
    from tfs.tokenizers import BPETokenizer

    tokenizer = BPETokenizer.train("to be or not to be, that is the question", 270)
    cfg = tfs.TransformerConfig(
        n_layers=2,
        d_model=8,
        n_ctx=6,
        d_head=4,
        d_vocab=tokenizer.d_vocab,
        tie_word_embeddings=tied,
    )
    model = tfs.DecoderOnly(cfg)
    tfs.save(tfs.Bundle(model, tokenizer, "card, with ümlauts"), tmp_path)
    again = tfs.load(tmp_path)
    tokens = torch.tensor([tokenizer.encode("to be")])
    assert torch.equal(again.model(tokens), model(tokens))
    assert again.model.cfg == cfg
    assert again.tokenizer.encode("question") == tokenizer.encode("question")
    assert again.card == "card, with ümlauts"
    assert again.snapshots == []
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_a_loaded_model_asks_for_no_gradients(tfs, saved) -> None:
    assert not any(p.requires_grad for p in tfs.load(saved[1]).model.parameters())


def test_a_step_that_was_not_kept_is_refused(tfs, saved) -> None:
    with pytest.raises(ValueError, match="step 3 was not kept"):
        tfs.load(saved[1]).at_step(3)


def test_snapshots_open_as_the_model_was(tfs, saved) -> None:
    from tfs.train.files import save_tensors

    bundle, directory = saved
    with torch.no_grad():
        bundle.model.embed.W_E.mul_(2)
    save_tensors(
        dict(bundle.model.named_parameters()), directory / "snapshots/step_000007.safetensors"
    )
    (directory / "snapshots" / "step_x.safetensors").touch()
    again = tfs.load(directory)
    assert again.snapshots == [7]
    assert torch.equal(again.at_step(7).W_E, bundle.model.W_E)
    assert not torch.equal(again.model.W_E, bundle.model.W_E)


def edit_config(**changes):
    def edit(directory):
        path = directory / "config.json"
        fields = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in fields.items() if v is not ...}))

    return edit


def edit_tensors(change):
    def edit(directory):
        path = directory / "model.safetensors"
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return edit


def spoil(tensors):
    tensors["embed.W_E"][0, 0] = torch.nan


def overwrite(name, data):
    return lambda directory: (directory / name).write_bytes(data)


HUGE_HEADER = struct.pack("<Q", 2**40) + b"{}"
DAMAGE = {
    "no config": (lambda d: (d / "config.json").unlink(), "config.json is missing"),
    "no weights": (lambda d: (d / "model.safetensors").unlink(), "model.safetensors is missing"),
    "no tokenizer": (lambda d: (d / "tokenizer.json").unlink(), "tokenizer.json"),
    "config is not JSON": (overwrite("config.json", b"{oops"), "not JSON"),
    "config is not UTF-8": (overwrite("config.json", b"\xff\xfe\x00"), "not JSON"),
    "config is deep": (overwrite("config.json", b"[" * 100_000), "not JSON"),
    "config is a list": (overwrite("config.json", b"[]"), "model_type"),
    "config is large": (overwrite("config.json", b" " * (2**20 + 1)), "larger than 1 MiB"),
    "somebody else's config": (edit_config(model_type="gpt2"), "model_type"),
    "a future format": (edit_config(format_version=2), "format_version 2"),
    "an unknown field": (edit_config(n_experts=4), "n_experts"),
    "a missing field": (edit_config(d_vocab=...), "d_vocab"),
    "a negative size": (edit_config(n_layers=-1), "n_layers"),
    "a size that does not fit": (edit_config(d_mlp=33), "W_in has shape [8, 32], but config.json"),
    "another depth": (edit_config(n_layers=2), "lacks blocks.1"),
    "an absurd size": (edit_config(d_vocab=10**12), "shape [11, 8]"),
    "weights are noise": (overwrite("model.safetensors", b"noise" * 99), "damaged"),
    "weights are empty": (overwrite("model.safetensors", b""), "damaged"),
    "weights have a huge header": (overwrite("model.safetensors", HUGE_HEADER), "damaged"),
    "a tensor is missing": (edit_tensors(lambda t: t.pop("embed.W_E")), "lacks embed.W_E"),
    "a tensor too many": (edit_tensors(lambda t: t.update(x=torch.ones(1))), "holds x"),
    "not a number": (edit_tensors(spoil), "embed.W_E holds something other than finite numbers"),
    "whole numbers": (
        edit_tensors(lambda t: t.update({"embed.W_E": torch.ones(11, 8, dtype=torch.int64)})),
        "embed.W_E holds something other",
    ),
    "tokenizer is noise": (overwrite("tokenizer.json", b"noise"), "tokenizer.json"),
    "tokenizer of another model": (
        overwrite("tokenizer.json", b'{"type": "integer", "format_version": 1, "d_vocab": 500}'),
        "d_vocab = 11",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_in_one_sentence(tfs, saved, damage) -> None:
    _, directory = saved
    hurt, says = DAMAGE[damage]
    hurt(directory)
    with pytest.raises(tfs.CheckpointError) as error:
        tfs.load(directory)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_truncated_weights_are_refused(tfs, saved) -> None:
    path = saved[1] / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(tfs.CheckpointError, match="damaged"):
        tfs.load(saved[1])


def test_an_unknown_name_lists_the_bundled_ones(tfs) -> None:
    with pytest.raises(tfs.CheckpointError, match="'nosuch'.*bundled names: .*mirror"):
        tfs.load("nosuch")


def test_a_failed_save_leaves_the_old_files(tfs, saved, monkeypatch) -> None:
    bundle, directory = saved
    before = {p.name: p.read_bytes() for p in directory.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        tfs.save(bundle, directory)
    assert {p.name: p.read_bytes() for p in directory.iterdir()} == before
