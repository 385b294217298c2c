"""Grouped queries: which heads of a layer share one head of keys and values."""

import streamlit as st

import tfs


def names_with_keys(cfg: tfs.TransformerConfig, names: list[str]) -> list[str]:
    """The names of all heads, each with the key head that it shares, where any is shared."""
    if cfg.key_heads == cfg.n_heads:
        return names
    group = cfg.n_heads // cfg.key_heads
    return [f"{name} · K{i % cfg.n_heads // group}" for i, name in enumerate(names)]


def say_sharing(cfg: tfs.TransformerConfig) -> None:
    """Who shares whose keys and values; nothing where every head has its own."""
    if cfg.key_heads == cfg.n_heads:
        return
    group = cfg.n_heads // cfg.key_heads
    shared = "; ".join(
        f"K{key}: " + ", ".join(f"H{head}" for head in range(key * group, (key + 1) * group))
        for key in range(cfg.key_heads)
    )
    kind = "Multi-query" if cfg.key_heads == 1 else "Grouped-query"
    st.caption(
        f"{kind} attention (Ainslie et al. 2023): in every layer, groups of {group} query heads "
        f"share one head of keys and values. {shared}. Heads with the same K see the same keys and "
        f"take the same values, but ask for them with queries of their own; a KV cache holds "
        f"{cfg.key_heads} of them instead of {cfg.n_heads}."
    )
