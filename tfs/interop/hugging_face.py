"""Reading a directory that Hugging Face's save_pretrained wrote: config.json, model.safetensors.

    model = from_hugging_face("a-llama")

The names of weights come from a table (tfs.interop.tables), the choices of the family from
tfs.model.presets. Nothing but JSON and safetensors is read, and transformers itself is not needed.
Sizes, names and shapes are compared before memory is taken for a single weight.
"""

import json
import math
from pathlib import Path
from typing import Any

import einops
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tfs.interop.tables import Row, rows_of
from tfs.model import DecoderOnly, Kind, TransformerConfig
from tfs.model.presets import FAMILIES

LARGEST_CONFIG, LARGEST_WEIGHTS = 2**20, 2**36  # bytes
MOST = {"num_hidden_layers": 512, "num_local_experts": 512, "n_ctx": 2**20}
ACT_FNS = {"gelu_pytorch_tanh": "gelu_new"}  # theirs by another name with us
SIZES = {  # our field: theirs
    "n_layers": "num_hidden_layers",
    "d_model": "hidden_size",
    "n_heads": "num_attention_heads",
    "d_mlp": "intermediate_size",
    "d_vocab": "vocab_size",
    "eps": "rms_norm_eps",
}


def from_hugging_face(
    directory: str | Path, *, n_ctx: int | None = None, dtype: torch.dtype = torch.float32
) -> DecoderOnly:
    """The model in `directory`, of the family that its config.json names, ready to be shared.

    n_ctx: a shorter context than the model's own, which a KV cache would take memory for. dtype:
    what the weights are turned into. Gemma multiplies token vectors by sqrt(d_model); here that is
    in W_E, so W_U, which there is the same matrix, is one of its own. Its norms' weights are saved
    less 1, which is put back.
    Raises ValueError for another family, for a choice that we do not have, for a file that is too
    large or damaged, and where a tensor is missing, left over, of another shape than config.json
    says, or not finite.
    """
    directory = Path(directory)
    theirs = _read_config(directory / "config.json")
    cfg = config_from(theirs, n_ctx=n_ctx, dtype=dtype)
    weights = _read_weights(directory / "model.safetensors", theirs, cfg)
    model = DecoderOnly(cfg)
    if theirs["model_type"] == "gemma":
        _fold_gemma(weights, cfg)
    missed = model.load_state_dict(weights, strict=False)
    last_words = [name.rpartition(".")[2] for name in missed.missing_keys]
    only_biases = all(word.startswith(("b_", "_b_")) for word in last_words)  # which stay at 0
    assert only_biases and not missed.unexpected_keys, "a table names every matrix that we have"
    return model.requires_grad_(False)


def config_from(
    theirs: dict[str, Any], *, n_ctx: int | None = None, dtype: torch.dtype = torch.float32
) -> TransformerConfig:
    """Our config for the content of a config.json. Raises ValueError for what we do not have."""
    family = theirs.get("model_type")
    if family not in FAMILIES:
        raise ValueError(f"model_type must be one of {', '.join(FAMILIES)}, not {family!r}")
    if theirs.get("mlp_bias"):
        raise ValueError("mlp_bias is true, but our gated MLP has no bias at W_gate")
    try:
        fields = {ours: theirs[name] for ours, name in SIZES.items()}
        longest = theirs["max_position_embeddings"]
        heads = theirs["num_attention_heads"]
    except KeyError as error:
        raise ValueError(f"config.json lacks {error.args[0]}, which we need") from None
    fields |= {
        "n_ctx": min(n_ctx or longest, longest),
        "n_key_value_heads": theirs.get("num_key_value_heads") or heads,
        "d_head": theirs.get("head_dim") or theirs["hidden_size"] // heads,
        "rotary_base": _rotary_base(theirs),
        "dtype": dtype,
        "act_fn": _act_fn(theirs),
        "tie_word_embeddings": _is_tied(theirs) and family != "gemma",
    }
    if window := theirs.get("sliding_window"):
        kinds = ("local",) * theirs["num_hidden_layers"]
        fields |= {"use_local_attn": True, "window_size": window, "attn_types": kinds}
    else:
        fields["use_local_attn"] = False
    if family == "mixtral":
        fields["num_experts"] = theirs["num_local_experts"]
        fields["experts_per_token"] = theirs["num_experts_per_tok"]
    return TransformerConfig(**(FAMILIES[family] | fields))


def _act_fn(theirs: dict[str, Any]) -> str:
    """Gemma's first files say "gelu" and mean its tanh approximation."""
    if theirs["model_type"] == "gemma":
        return "gelu_new"
    name = theirs.get("hidden_act", "silu")
    return ACT_FNS.get(name, name)


def _rotary_base(theirs: dict[str, Any]) -> float | int:
    """From rope_parameters (transformers 5) or from rope_theta beside rope_scaling (before)."""
    rope = theirs.get("rope_parameters") or theirs.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ValueError(
            f"rope_type {kind!r} rescales rotary positions, which we do not have; only a model "
            'with rope_type "default" can be read'
        )
    return rope.get("rope_theta", theirs.get("rope_theta", 10000))


def _is_tied(theirs: dict[str, Any]) -> bool:
    return theirs.get("tie_word_embeddings", theirs["model_type"] == "gemma")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        _check_size(path, LARGEST_CONFIG)
        theirs = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{path.parent} has no config.json, so it is no model") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError(f"{path} is damaged: it is not JSON") from None
    if not isinstance(theirs, dict):
        raise ValueError(f"{path} must be a JSON object")
    return theirs


def _check_size(path: Path, most: int) -> None:
    if (size := path.stat().st_size) > most:
        raise ValueError(f"{path} has {size:,} bytes, more than the {most:,} that we read")


def _read_weights(path: Path, theirs: dict[str, Any], cfg: TransformerConfig) -> dict[str, Tensor]:
    """Our weights, each made of one of theirs, and each of theirs used once.

    The header alone says names and shapes, so what does not fit is refused before it is loaded.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; a model in several files must be saved as one")
    _check_size(path, LARGEST_WEIGHTS)
    biases, experts = bool(theirs.get("attention_bias")), cfg.num_experts or 0
    counts = {"num_hidden_layers": cfg.n_layers, "num_local_experts": experts, "n_ctx": cfg.n_ctx}
    for what, count in counts.items():
        if count > MOST[what]:
            raise ValueError(f"{what} is {count:,}, more than the {MOST[what]:,} that we open")
    rows = rows_of(
        theirs["model_type"], cfg.n_layers, experts, biases=biases, tied=_is_tied(theirs)
    )
    try:
        with safe_open(path, framework="pt") as file:
            _compare(path, file, rows, cfg)
            return {
                row[0]: _rearranged(_finite(path, file, row[1]).to(cfg.dtype), row, cfg)
                for row in rows
            }
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or not a safetensors file ({error})") from None


def _compare(path: Path, file: Any, rows: list[Row], cfg: TransformerConfig) -> None:
    """Raises ValueError where the header does not name exactly the tensors that we need."""
    shapes = Kind(cfg).shapes()
    left = set(file.keys())
    for row in rows:
        ours, name, _ = row
        if name not in left:
            raise ValueError(f"{path} lacks {name}, which becomes {ours}")
        left.remove(name)
        shape = tuple(file.get_slice(name).get_shape())
        becomes = tuple(_rearranged(torch.empty(shape, device="meta"), row, cfg).shape)
        if becomes != shapes[ours]:
            raise ValueError(
                f"{path}: {name} makes a {ours} of {list(becomes)}, but by config.json it is "
                f"{list(shapes[ours])}"
            )
    if left:
        raise ValueError(f"{path} holds {sorted(left)[0]}, which its family's table does not name")


def _finite(path: Path, file: Any, name: str) -> Tensor:
    tensor = file.get_tensor(name)
    if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
        raise ValueError(f"{path}: {name} holds something other than finite numbers")
    return tensor


def _rearranged(tensor: Tensor, row: Row, cfg: TransformerConfig) -> Tensor:
    ours, theirs, pattern = row
    sizes = {"d_head": cfg.d_head} if "d_head" in pattern else {}
    try:
        return einops.rearrange(tensor, pattern, **sizes)
    except einops.EinopsError:
        raise ValueError(
            f"{theirs} has shape {list(tensor.shape)}, of which {ours} cannot be made with "
            f"d_head = {cfg.d_head}"
        ) from None


def _fold_gemma(weights: dict[str, Tensor], cfg: TransformerConfig) -> None:
    """In place: sqrt(d_model) into W_E, 1 onto the norms, and W_U as it was before."""
    weights.setdefault("unembed.W_U", weights["embed.W_E"].T.clone())
    weights["embed.W_E"] = weights["embed.W_E"] * math.sqrt(cfg.d_model)
    for name in weights:
        if name.rpartition(".")[2] == "w":
            weights[name] = weights[name] + 1
