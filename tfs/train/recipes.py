"""How each bundled checkpoint is made: model, task and training, by name.

`python -m tfs train NAME` follows the recipe; the app's training page starts from the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tfs.model import TransformerConfig
from tfs.tasks import MirrorTask, RepeatedTokensTask, Task, TextTask
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
    train=TrainConfig(
        steps=800, batch_size=64, lr=1e-3, warmup_steps=50, schedule="constant", snapshots_from=16
    ),
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
    for recipe in (MIRROR, MIRROR_LARGE, MIRROR_NO_POSITIONS, INDUCTION, SHAKESPEARE)
}
