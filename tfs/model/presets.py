"""The choices by which today's families of decoders differ, in any size.

Each family is a handful of config fields. What they share is the modern decoder: RMS norms, rotary
positions, gated MLPs, and fewer heads of keys and values than of queries. The table says what each
adds; `preset` joins it with sizes of one's own.
"""

from typing import Any

from tfs.model.config import TransformerConfig

MODERN: dict[str, Any] = {
    "normalization_type": "RMS",
    "positional_embedding_type": "rotary",
    "gated_mlp": True,
    "act_fn": "silu",
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": MODERN,  # Touvron et al. 2023, "LLaMA", section 2.2; n_key_value_heads since Llama 2
    "mistral": MODERN | {"use_local_attn": True},  # Jiang et al. 2023, "Mistral 7B", section 2
    "gemma": MODERN | {"act_fn": "gelu_new", "eps": 1e-6},  # Gemma Team 2024, "Gemma", section 2
    "mixtral": MODERN | {"norm_topk_prob": True},  # Jiang et al. 2024, "Mixtral", section 2
}
MLP_WIDTHS = {"llama": 8 / 3, "mistral": 3.5, "gemma": 8, "mixtral": 3.5}  # d_mlp / d_model


def preset(
    family: str,
    *,
    n_layers: int,
    d_model: int,
    n_heads: int,
    n_ctx: int,
    d_vocab: int,
    **fields: Any,
) -> TransformerConfig:
    """A config of the family's shape, in these sizes; any other field may be given, too.

    Left out, these follow the family: d_head (d_model // n_heads), d_mlp (8/3 d_model for Llama,
    3.5 for Mistral and Mixtral, 8 for Gemma, rounded to a multiple of 8), n_key_value_heads (one
    for Gemma, a quarter of n_heads otherwise, or n_heads where that is not whole), window_size
    (half of n_ctx), num_experts and experts_per_token (8 and 2).
    Raises ValueError for another family, and where the fields cannot fit together.
    """
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, not {family!r}")
    sizes = {
        "n_layers": n_layers,
        "d_model": d_model,
        "n_heads": n_heads,
        "n_ctx": n_ctx,
        "d_vocab": d_vocab,
        "d_head": d_model // n_heads,
        "d_mlp": max(8, 8 * round(MLP_WIDTHS[family] * d_model / 8)),
        "n_key_value_heads": 1 if family == "gemma" else _quarter(n_heads),
    }
    if family == "mistral":
        sizes |= {"window_size": max(1, n_ctx // 2), "attn_types": ("local",) * n_layers}
    if family == "mixtral":
        sizes |= {"num_experts": 8, "experts_per_token": 2}
    return TransformerConfig(**(FAMILIES[family] | sizes | fields))


def _quarter(n_heads: int) -> int:
    return n_heads // 4 if n_heads % 4 == 0 else n_heads
