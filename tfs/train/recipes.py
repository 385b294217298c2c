"""How each bundled checkpoint is made: model, task and training, by name.

`python -m tfs train NAME` follows the recipe; the app's training page starts from the same ones.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tfs.model import TransformerConfig
from tfs.tasks import (
    AdditionTask,
    BracketsTask,
    CopyTask,
    IOITask,
    MirrorTask,
    ModularAdditionTask,
    RepeatedTokensTask,
    SortTask,
    Task,
    TextTask,
)
from tfs.tasks.corpus import tiny_shakespeare
from tfs.tasks.text import split_text
from tfs.tokenizers import BPETokenizer
from tfs.train.config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """A model that can be trained by name; `about` is one sentence for a model card."""

    name: str
    about: str
    make_task: Callable[[], Task]
    model: TransformerConfig
    train: TrainConfig


def shakespeare_task(n_ctx: int = 128, d_vocab: int = 1024) -> TextTask:
    """Tiny Shakespeare through a byte-level BPE that was itself trained on the first 90% only."""
    text = tiny_shakespeare()
    tokenizer = BPETokenizer.train(split_text(text)[0], d_vocab)
    return TextTask(text, tokenizer, n_ctx, name="shakespeare")


MIRROR = Recipe(
    name="mirror",
    about="One layer that writes the second half of a random string as the first, mirrored.",
    make_task=MirrorTask,
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
    train=TrainConfig(steps=300, batch_size=64, lr=1e-2, warmup_steps=30, snapshots_from=16),
)

MIRROR_LARGE = Recipe(
    name="mirror-2-layers",
    about="Two layers of width 128 on the mirrored string.",
    make_task=MirrorTask,
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
    train=TrainConfig(steps=600, batch_size=64, lr=3e-3, warmup_steps=60),
)

MIRROR_NO_POSITIONS = Recipe(
    name="mirror-no-positions",
    about="The mirrored string without positions: only the causal mask tells places apart.",
    make_task=MirrorTask,
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
    make_task=RepeatedTokensTask,
    model=TransformerConfig(
        n_layers=2, d_model=64, n_ctx=48, n_heads=1, d_head=64, d_vocab=256, attn_only=True, seed=0
    ),
    train=TrainConfig(steps=2000, batch_size=64, lr=1e-3, warmup_steps=50, snapshots_from=16),
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
    make_task=CopyTask,
    model=TransformerConfig(
        n_layers=1, d_model=32, n_ctx=17, n_heads=1, d_head=32, d_vocab=51, attn_only=True, seed=0
    ),
    train=TrainConfig(steps=300, batch_size=64, lr=1e-2, warmup_steps=20),
)

SORT = Recipe(
    name="sort",
    about="One layer that writes eight distinct symbols in ascending order.",
    make_task=SortTask,
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
    train=TrainConfig(steps=1200, batch_size=64, lr=3e-3, warmup_steps=50),
)

ADDITION = Recipe(
    name="addition",
    about="Two layers that add numbers of three digits, the ones of the sum first.",
    make_task=AdditionTask,
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
    make_task=partial(AdditionTask, reversed=False),
    train=dataclasses.replace(ADDITION.train, steps=2500),
)

MODULAR_ADDITION = Recipe(
    name="modular-addition",
    about="One layer without norms that adds modulo 59: by heart first, then by understanding.",
    make_task=ModularAdditionTask,
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
    make_task=BracketsTask,
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
    train=TrainConfig(steps=1200, batch_size=64, lr=3e-3, warmup_steps=50),
)

IOI = Recipe(
    name="ioi",
    about="Two attention-only layers that know who was given something.",
    make_task=IOITask,
    model=TransformerConfig(
        n_layers=2, d_model=64, n_ctx=17, n_heads=4, d_head=16, d_vocab=151, attn_only=True, seed=0
    ),
    train=TrainConfig(steps=1500, batch_size=32, lr=2e-3, warmup_steps=50),
)

SHAKESPEARE = Recipe(
    name="shakespeare",
    about="Four layers that write in the manner of Shakespeare, in 1,024 byte-pair tokens.",
    make_task=shakespeare_task,
    model=TransformerConfig(
        n_layers=4,
        d_model=256,
        n_ctx=128,
        n_heads=8,
        d_head=32,
        d_vocab=1024,
        act_fn="gelu_new",
        tie_word_embeddings=True,
        seed=0,
    ),
    train=TrainConfig(
        steps=10_000,
        batch_size=16,
        lr=2e-3,
        warmup_steps=100,
        schedule="linear",
        final_lr_fraction=0.02,
        betas=(0.9, 0.99),
        weight_decay=1.5,
        dropout=0.25,
        precision="bfloat16",
        eval_every=500,
        eval_size=256,
        save_every=500,
        snapshots_from=10_000,
    ),
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
        SHAKESPEARE,
    )
}
