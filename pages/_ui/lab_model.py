"""The lab's form: what of a recipe's model and training the reader changes."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tfs.model.architectures import DECODER_ONLY, ENCODER_DECODER
from tfs.model.config import ACT_FNS, NORMALIZATION_TYPES, POSITIONAL_EMBEDDING_TYPES
from tfs.train.config import OPTIMIZERS, SCHEDULES
from tfs.train.recipe import Recipe

MOST_STEPS = 100_000
NORMS = {kind or "none": kind for kind in NORMALIZATION_TYPES}
OF_AN_ENCODER = ("standard", "sinusoidal", "none")  # positions
AFTER, BEFORE = "after each sum (post-norm)", "before each part (pre-norm)"


def model_fields(base: Recipe) -> dict[str, Any]:
    """Sizes and kinds of the model; the vocabulary and the context follow the task.

    Offered is what its architecture has: no rotary positions where a text is encoded, no blocks
    without an MLP where two texts are joined, no unembedding where labels are chosen.
    """
    cfg, kept, architecture = base.model, kept_by(base), base.architecture
    st.markdown("**Model**")
    first, second, third = st.columns(3)
    layers = "Layers of each half" if architecture == ENCODER_DECODER else "Layers"
    n_layers = first.slider(layers, 1, 8, cfg.n_layers, **kept("n_layers"))
    n_heads = first.select_slider("Heads in a layer", (1, 2, 4, 8), cfg.n_heads, **kept("n_heads"))
    key_heads = _key_heads(base, first, n_heads)
    widths = sorted({16, 32, 64, 128, 256, cfg.d_model})
    d_model = first.select_slider("d_model", widths, cfg.d_model, **kept("d_model"))
    offered = POSITIONAL_EMBEDDING_TYPES if architecture == DECODER_ONLY else OF_AN_ENCODER
    positions = second.selectbox(
        "Positions",
        offered,
        offered.index(cfg.positional_embedding_type),
        format_func=lambda kind: {"standard": "learned"}.get(kind, kind),
        **kept("positions"),
    )
    norm = second.selectbox(
        "Norm",
        list(NORMS),
        NORMALIZATION_TYPES.index(cfg.normalization_type),
        **kept("norm"),
    )
    norm_first = cfg.norm_first
    if architecture != DECODER_ONLY:
        stands = second.selectbox(
            "Norms stand", (AFTER, BEFORE), int(bool(norm_first)), **kept("norm_first")
        )
        norm_first = True if stands == BEFORE else None
    act_fn = second.selectbox("Activation", ACT_FNS, ACT_FNS.index(cfg.act_fn), **kept("act_fn"))
    attn_only = architecture != ENCODER_DECODER and third.toggle(
        "Attention only, no MLPs", cfg.attn_only, **kept("attn_only")
    )
    d_mlp = third.select_slider(
        "d_mlp as a multiple of d_model",
        (1, 2, 4, 8),
        max(1, cfg.d_mlp // cfg.d_model) if not cfg.attn_only else 4,
        **kept("d_mlp"),
        disabled=attn_only,
    )
    tied = cfg.tie_word_embeddings
    if not architecture.endswith("classifier"):
        tied = third.toggle("W_U is W_E transposed", tied, **kept("tied"))
    gated = third.toggle(
        "Gated MLP (SwiGLU with silu)", cfg.gated_mlp, **kept("gated_mlp"), disabled=attn_only
    )
    scale = third.toggle("Scores divided by √d_head", cfg.use_attn_scale, **kept("scale"))
    same = (n_heads, d_model) == (cfg.n_heads, cfg.d_model)
    return {
        "n_layers": n_layers,
        "n_heads": n_heads,
        "d_model": d_model,
        "d_head": cfg.d_head if same else max(1, d_model // n_heads),
        "d_mlp": cfg.d_mlp if attn_only and cfg.attn_only else d_mlp * d_model,
        "positional_embedding_type": positions,
        "normalization_type": NORMS[norm],
        "norm_first": norm_first,
        "act_fn": act_fn,
        "attn_only": attn_only,
        "tie_word_embeddings": tied,
        "use_attn_scale": scale,
        "gated_mlp": gated and not attn_only,
        "n_key_value_heads": key_heads,
        **({} if same and scale == cfg.use_attn_scale else {"attn_scale": -1.0}),
    }


def _key_heads(base: Recipe, column: DeltaGenerator, n_heads: int) -> int | None:
    """Heads of keys and values: one for each head (None), or fewer, which groups of heads share."""
    fewer = [count for count in (1, 2, 4) if count < n_heads]
    own = base.model.n_key_value_heads
    return column.selectbox(
        "Heads of keys and values",
        [None, *fewer],
        index=fewer.index(own) + 1 if own in fewer else 0,
        format_func=lambda count: "one for each head" if count is None else str(count),
        key=f"key heads below {n_heads} of {base.name}",
        persist_state="session",
    )


def training_fields(base: Recipe) -> dict[str, Any]:
    """The optimiser, its schedule, and the seed, which is the model's as well."""
    config, kept = base.train, kept_by(base)
    st.markdown("**Training**")
    first, second, third = st.columns(3)
    steps = first.number_input("Updates", 1, MOST_STEPS, config.steps, **kept("steps"))
    batch = first.number_input("Sequences in a batch", 1, 1024, config.batch_size, **kept("batch"))
    seed = first.number_input("Seed", 0, 2**31 - 1, config.seed, **kept("seed"))
    lr = second.number_input(
        "Peak learning rate", 1e-6, 10.0, config.lr, format="%.6g", step=1e-4, **kept("lr")
    )
    warmup = second.number_input(
        "Warm-up updates", 0, MOST_STEPS, config.warmup_steps, **kept("warmup")
    )
    schedule = second.selectbox(
        "Then",
        SCHEDULES,
        SCHEDULES.index(config.schedule),
        format_func=lambda kind: {"inverse_sqrt": "inverse square root"}.get(kind, kind),
        **kept("schedule"),
        help="Inverse square root is the schedule of Vaswani et al. 2017, equation 3.",
    )
    decay = third.number_input(
        "Weight decay", 0.0, 10.0, config.weight_decay, format="%.3g", **kept("decay")
    )
    dropout = third.slider("Dropout", 0.0, 0.9, config.dropout, 0.05, **kept("dropout"))
    smoothing = third.slider(
        "Label smoothing",
        0.0,
        0.5,
        config.label_smoothing,
        0.05,
        **kept("label_smoothing"),
        help="The share of the target that is spread over all tokens, or labels, alike. Then the "
        "training loss has a floor above 0; the held-out loss is measured without it.",
    )
    optimizer = third.selectbox(
        "Optimiser", OPTIMIZERS, OPTIMIZERS.index(config.optimizer), **kept("optimizer")
    )
    clipped = third.toggle(
        "Gradients clipped to norm 1", config.grad_clip is not None, **kept("clip")
    )
    return {
        "steps": int(steps),
        "batch_size": int(batch),
        "seed": int(seed),
        "optimizer": optimizer,
        "lr": lr,
        "warmup_steps": int(warmup),
        "schedule": schedule,
        "weight_decay": decay,
        "dropout": dropout,
        "label_smoothing": smoothing,
        "grad_clip": (config.grad_clip or 1.0) if clipped else None,
    }


def kept_by(base: Recipe) -> Callable[[str], dict[str, Any]]:
    """A widget's key by the recipe, so that each recipe begins with its own values, and what is
    changed is still there when the reader comes back from another page."""
    return lambda name: {"key": f"{name} of {base.name}", "persist_state": "session"}
