"""Ready-made recipes, by name: the bundled checkpoints', those of the other tasks, and of text.

`python -m tfs train NAME` follows one; the app's training page starts from the same ones. An
eval_size is chosen so that evaluations and snapshots take less than a twentieth of a run's time
(`python -m tests.benchmarks overhead` measures it).
"""

import dataclasses

from tfs.model import TransformerConfig
from tfs.train.config import TrainConfig
from tfs.train.recipe import Recipe
from tfs.train.text_recipes import (
    PROSE,
    SHAKESPEARE,
    SHAKESPEARE_CHARACTERS,
    SHAKESPEARE_GPT2,
)

MIRROR = Recipe(
    name="mirror",
    about="One layer that writes the second half of a random string as the first, mirrored.",
    task="mirror",
    model=TransformerConfig(
        n_layers=1,
        d_model=64,
        n_ctx=16,
        n_heads=4,
        d_head=16,
        d_vocab=100,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(
        steps=300, batch_size=64, lr=1e-2, warmup_steps=30, eval_size=96, snapshots_from=16
    ),
)

MIRROR_LARGE = Recipe(
    name="mirror-2-layers",
    about="Two layers of width 128 on the mirrored string.",
    task="mirror",
    model=TransformerConfig(
        n_layers=2,
        d_model=128,
        n_ctx=16,
        n_heads=4,
        d_head=32,
        d_vocab=100,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(steps=600, batch_size=64, lr=3e-3, warmup_steps=60, eval_size=96),
)

MIRROR_NO_POSITIONS = Recipe(
    name="mirror-no-positions",
    about="The mirrored string without positions: only the causal mask tells places apart.",
    task="mirror",
    model=TransformerConfig(
        n_layers=4,
        d_model=64,
        n_ctx=16,
        n_heads=4,
        d_head=16,
        d_vocab=100,
        act_fn="gelu_new",
        positional_embedding_type="none",
        seed=0,
    ),
    train=TrainConfig(
        steps=45_000,
        batch_size=64,
        lr=2e-3,
        warmup_steps=200,
        eval_every=500,
        snapshots_from=45_000,
    ),
)

INDUCTION = Recipe(
    name="induction",
    about="Two attention-only layers on repeated random tokens: how induction heads form.",
    task="induction",
    model=TransformerConfig(
        n_layers=2, d_model=64, n_ctx=48, n_heads=1, d_head=64, d_vocab=256, attn_only=True, seed=0
    ),
    train=TrainConfig(
        steps=2000, batch_size=64, lr=1e-3, warmup_steps=50, eval_size=128, snapshots_from=16
    ),
)

INDUCTION_4_HEADS = dataclasses.replace(
    INDUCTION,
    name="induction-4-heads",
    about="Induction with four heads in each of two layers: which of them does the work?",
    model=dataclasses.replace(INDUCTION.model, n_heads=4, d_head=16),
)

COPY = Recipe(
    name="copy",
    about="One head of one attention-only layer that writes eight symbols again.",
    task="copy",
    model=TransformerConfig(
        n_layers=1, d_model=32, n_ctx=17, n_heads=1, d_head=32, d_vocab=51, attn_only=True, seed=0
    ),
    train=TrainConfig(
        steps=300,
        batch_size=64,
        lr=1e-2,
        warmup_steps=20,
        eval_every=50,
        eval_size=96,
        snapshots_from=16,
    ),
)

SORT = Recipe(
    name="sort",
    about="One layer that writes eight distinct symbols in ascending order.",
    task="sort",
    model=TransformerConfig(
        n_layers=1,
        d_model=64,
        n_ctx=17,
        n_heads=2,
        d_head=32,
        d_mlp=128,
        d_vocab=51,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(steps=1200, batch_size=64, lr=3e-3, warmup_steps=50, eval_size=128),
)

ADDITION = Recipe(
    name="addition",
    about="Two layers that add numbers of three digits, the ones of the sum first.",
    task="addition",
    model=TransformerConfig(
        n_layers=2,
        d_model=64,
        n_ctx=12,
        n_heads=4,
        d_head=16,
        d_vocab=12,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(steps=2000, batch_size=128, lr=3e-3, warmup_steps=100, eval_every=50),
)

ADDITION_FORWARDS = dataclasses.replace(
    ADDITION,
    name="addition-forwards",
    about="Two layers that add numbers of three digits, the sum written as we write it.",
    task_options={"reversed": False},
    train=dataclasses.replace(ADDITION.train, steps=2500),
)

MODULAR_ADDITION = Recipe(
    name="modular-addition",
    about="One layer without norms that adds modulo 59: by heart first, then by understanding.",
    task="modular-addition",
    model=TransformerConfig(
        n_layers=1,
        d_model=128,
        n_ctx=4,
        n_heads=4,
        d_head=32,
        d_vocab=60,
        act_fn="relu",
        normalization_type=None,
        initializer_range=128**-0.5,
        seed=0,
    ),
    train=TrainConfig(
        steps=1200,
        batch_size=512,
        lr=3e-3,
        warmup_steps=10,
        schedule="constant",
        weight_decay=1.0,
        grad_clip=None,
    ),
)

BRACKETS = Recipe(
    name="brackets",
    about="Two layers that close brackets of two kinds in the right order.",
    task="brackets",
    model=TransformerConfig(
        n_layers=2,
        d_model=64,
        n_ctx=16,
        n_heads=2,
        d_head=32,
        d_mlp=128,
        d_vocab=4,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(steps=1200, batch_size=64, lr=3e-3, warmup_steps=50, eval_size=256),
)

IOI = Recipe(
    name="ioi",
    about="Two attention-only layers that know who was given something.",
    task="ioi",
    model=TransformerConfig(
        n_layers=2, d_model=64, n_ctx=17, n_heads=4, d_head=16, d_vocab=151, attn_only=True, seed=0
    ),
    train=TrainConfig(steps=1500, batch_size=32, lr=2e-3, warmup_steps=50, eval_size=96),
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        MIRROR,
        MIRROR_LARGE,
        MIRROR_NO_POSITIONS,
        INDUCTION,
        INDUCTION_4_HEADS,
        COPY,
        SORT,
        ADDITION,
        ADDITION_FORWARDS,
        MODULAR_ADDITION,
        BRACKETS,
        IOI,
        PROSE,
        SHAKESPEARE_CHARACTERS,
        SHAKESPEARE_GPT2,
        SHAKESPEARE,
    )
}
