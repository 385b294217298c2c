"""Which choices of a config go together: the checks that concern several fields at once."""

import math
from typing import Any

ATTN_TYPES = ("global", "local")


def check_choices(cfg: Any) -> None:
    """Raises ValueError, naming fields and numbers, where choices of a TransformerConfig clash."""
    if cfg.n_key_value_heads is not None and cfg.n_heads % cfg.n_key_value_heads:
        raise ValueError(
            f"n_heads must be a multiple of n_key_value_heads, but {cfg.n_heads} is none of "
            f"{cfg.n_key_value_heads}"
        )
    if cfg.rotary_dim is not None and (cfg.rotary_dim % 2 or cfg.rotary_dim > cfg.d_head):
        raise ValueError(
            f"rotary_dim must be even and at most d_head = {cfg.d_head}, since entries are turned "
            f"in pairs, not {cfg.rotary_dim}"
        )
    for field in ("attn_scores_soft_cap", "output_logits_soft_cap"):
        cap = getattr(cfg, field)
        if not math.isfinite(cap) or (cap <= 0 and cap != -1):
            raise ValueError(f"{field} must be a finite number above 0, or -1 for none, not {cap}")
    if cfg.parallel_attn_mlp and (cfg.attn_only or not cfg.use_residual):
        raise ValueError(
            "parallel_attn_mlp adds an MLP and attention to the stream at once, so attn_only must "
            f"be False and use_residual True, not {cfg.attn_only} and {cfg.use_residual}"
        )
    if cfg.parallel_attn_mlp and cfg.norm_first is False:
        raise ValueError(
            "norm_first is False, which normalises what attention wrote before the MLP reads it, "
            "but with parallel_attn_mlp the MLP does not read it; leave out one of the two"
        )
    _check_windows(cfg)
    _check_experts(cfg)


def check_encodes(cfg: Any, architecture: str) -> None:
    """Raises ValueError for choices that only a DecoderOnly has."""
    if cfg.positional_embedding_type in ("rotary", "alibi"):
        raise ValueError(
            f"positional_embedding_type is {cfg.positional_embedding_type!r}, which only a "
            f"DecoderOnly has; for an {architecture} choose standard, sinusoidal or none"
        )
    decoder_only = {
        "parallel_attn_mlp": cfg.parallel_attn_mlp,
        "use_local_attn": cfg.use_local_attn,
        "output_logits_soft_cap": cfg.output_logits_soft_cap > 0,
    }
    for field, is_chosen in decoder_only.items():
        if is_chosen:
            raise ValueError(
                f"{field} is {getattr(cfg, field)}, which only a DecoderOnly has; leave it out for "
                f"an {architecture}"
            )


def _check_windows(cfg: Any) -> None:
    if cfg.use_local_attn and (cfg.window_size is None or cfg.attn_types is None):
        raise ValueError(
            "use_local_attn needs window_size and attn_types, not "
            f"{cfg.window_size} and {cfg.attn_types}"
        )
    if cfg.attn_types is not None and len(cfg.attn_types) != cfg.n_layers:
        raise ValueError(
            f"attn_types must name one type for each of n_layers = {cfg.n_layers}, "
            f"not {len(cfg.attn_types)}"
        )
    for kind in cfg.attn_types or ():
        if kind not in ATTN_TYPES:
            raise ValueError(f"attn_types must be made of {', '.join(ATTN_TYPES)}, not {kind!r}")


def _check_experts(cfg: Any) -> None:
    if (cfg.num_experts is None) != (cfg.experts_per_token is None):
        raise ValueError(
            "num_experts and experts_per_token go together, but they are "
            f"{cfg.num_experts} and {cfg.experts_per_token}; give both or neither"
        )
    if cfg.num_experts is not None and cfg.experts_per_token > cfg.num_experts:
        raise ValueError(
            f"experts_per_token must be at most num_experts = {cfg.num_experts}, "
            f"not {cfg.experts_per_token}"
        )
