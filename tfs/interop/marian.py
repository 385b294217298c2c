"""An EncoderDecoder as Hugging Face's Marian, which is the paper's Transformer: post-norm, sines.

    save_as_marian(model, directory, start=1, end=2, pad=0)
    MarianMTModel.from_pretrained(directory)

Marian's table of sines has all sines in its first columns and all cosines in its last; the paper's
alternates them. That table is not in the files, so the stream's own axes are put in Marian's order,
in every weight that reads or writes it: no part of a post-norm model prefers one order to another.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, Int
from safetensors.torch import save_file
from torch import Tensor

from tfs.model import EncoderDecoder, TransformerConfig

ATTENTION = (
    ("W_Q", "q_proj.weight", "head d_model d_head -> (head d_head) d_model"),
    ("W_K", "k_proj.weight", "head d_model d_head -> (head d_head) d_model"),
    ("W_V", "v_proj.weight", "head d_model d_head -> (head d_head) d_model"),
    ("W_O", "out_proj.weight", "head d_head d_model -> d_model (head d_head)"),
    ("b_Q", "q_proj.bias", "head d_head -> (head d_head)"),
    ("b_K", "k_proj.bias", "head d_head -> (head d_head)"),
    ("b_V", "v_proj.bias", "head d_head -> (head d_head)"),
    ("b_O", "out_proj.bias", "d_model -> d_model"),
)
MLP = (
    ("W_in", "fc1.weight", "d_model d_mlp -> d_mlp d_model"),
    ("b_in", "fc1.bias", "d_mlp -> d_mlp"),
    ("W_out", "fc2.weight", "d_mlp d_model -> d_model d_mlp"),
    ("b_out", "fc2.bias", "d_model -> d_model"),
)
NORM = (("w", "weight", "d_model -> d_model"), ("b", "bias", "d_model -> d_model"))
PARTS = {
    "encoder": (
        ("attn.", "self_attn.", ATTENTION),
        ("ln1.", "self_attn_layer_norm.", NORM),
        ("mlp.", "", MLP),
        ("ln2.", "final_layer_norm.", NORM),
    ),
    "decoder": (
        ("attn.", "self_attn.", ATTENTION),
        ("ln1.", "self_attn_layer_norm.", NORM),
        ("cross_attn.", "encoder_attn.", ATTENTION),
        ("ln2.", "encoder_attn_layer_norm.", NORM),
        ("mlp.", "", MLP),
        ("ln3.", "final_layer_norm.", NORM),
    ),
}
NOT_IN_FILES = ("pos_embed.W_pos", "unembed.W_U", "unembed.b_U")  # sines; tied; 0


def name_table(cfg: TransformerConfig) -> Iterator[tuple[str, str, str]]:
    """(our name, Marian's, how the axes go) of every weight."""
    yield "embed.W_E", "model.shared.weight", "d_vocab d_model -> d_vocab d_model"
    for stack, parts in PARTS.items():
        for layer in range(cfg.n_layers):
            for ours, theirs, weights in parts:
                for name, their_name, axes in weights:
                    yield (
                        f"{stack}.{layer}.{ours}{name}",
                        f"model.{stack}.layers.{layer}.{theirs}{their_name}",
                        axes,
                    )


def sines_first(d_model: int) -> Int[Tensor, " d_model"]:
    """Marian's order of the stream's axes: the paper's even columns, then its odd ones."""
    columns = torch.arange(d_model)
    return torch.cat([columns[::2], columns[1::2]])


def marian_state_dict(model: EncoderDecoder) -> dict[str, Float[Tensor, "..."]]:
    """Every weight by Marian's name, in its shape. Raises ValueError as check_is_marian does."""
    check_is_marian(model.cfg)
    ours = model.state_dict()
    order = sines_first(model.cfg.d_model)
    theirs = {"final_logits_bias": ours["embed.W_E"].new_zeros(1, model.cfg.d_vocab)}
    for name, their_name, axes in name_table(model.cfg):
        weight = ours.pop(name)
        ordered = weight
        if "d_model" in (words := axes.split(" -> ")[0].split()):
            ordered = weight.index_select(words.index("d_model"), order)
        theirs[their_name] = rearrange(ordered, axes).contiguous()
    assert ours.keys() == set(NOT_IN_FILES)
    return theirs


def marian_config(cfg: TransformerConfig, *, start: int, end: int, pad: int) -> dict[str, Any]:
    """The fields of a MarianConfig. Raises ValueError as check_is_marian does."""
    check_is_marian(cfg)
    sides = ("encoder", "decoder")
    return {
        "model_type": "marian",
        "architectures": ["MarianMTModel"],
        "vocab_size": cfg.d_vocab,
        "d_model": cfg.d_model,
        **{f"{side}_layers": cfg.n_layers for side in sides},
        **{f"{side}_attention_heads": cfg.n_heads for side in sides},
        **{f"{side}_ffn_dim": cfg.d_mlp for side in sides},
        "activation_function": cfg.act_fn,
        "max_position_embeddings": cfg.n_ctx,
        "scale_embedding": cfg.scale_embedding is not False,
        "static_position_embeddings": True,
        "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True,
        "is_encoder_decoder": True,
        "dtype": str(cfg.dtype).removeprefix("torch."),
        "init_std": cfg.initializer_range,
        "decoder_start_token_id": start,
        "eos_token_id": end,
        "forced_eos_token_id": None,
        "pad_token_id": pad,
    }


def save_as_marian(
    model: EncoderDecoder, directory: str | Path, *, start: int, end: int, pad: int
) -> None:
    """Write config.json and model.safetensors, which MarianMTModel.from_pretrained reads.

    start, end: the tokens that the decoder begins and ends with; pad: what fills texts up. Raises
    ValueError as check_is_marian does.
    """
    config = marian_config(model.cfg, start=start, end=end, pad=pad)
    weights = marian_state_dict(model)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})


def check_is_marian(cfg: TransformerConfig) -> None:
    """Raises ValueError, naming the field, for an EncoderDecoder that a Marian cannot be."""
    needed = {
        "norm_first": (None, False),
        "positional_embedding_type": ("sinusoidal",),
        "normalization_type": ("LN",),
        "tie_word_embeddings": (True,),
        "use_residual": (True,),
        "use_attn_scale": (True,),
        "attn_scale": (cfg.d_head**0.5,),
        "d_head": (cfg.d_model / cfg.n_heads,),
        "eps": (1e-5,),
    }
    for field, allowed in needed.items():
        if getattr(cfg, field) not in allowed:
            raise ValueError(
                f"{field} is {getattr(cfg, field)!r}, but in a Marian it is {allowed[-1]!r}; only "
                "a model made so can be exported"
            )
