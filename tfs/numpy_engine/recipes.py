"""Ready-made trainings on numpy alone: `for step in tags_trainer().steps(500): ...`.

The tagger and the matcher are the encoders of tfs.train.pair_recipes, with narrower MLPs.
"""

from tfs.numpy_engine.config import Config
from tfs.numpy_engine.data import MirrorBatches
from tfs.numpy_engine.encoder import (
    EncoderClassifier,
    EncoderOnly,
    PairClassifier,
    TokenClassifier,
)
from tfs.numpy_engine.labelled import label_loss
from tfs.numpy_engine.optim import AdamW, warmup_cosine
from tfs.numpy_engine.texts import Texts, pairs_from_templates, sentences_from_templates
from tfs.numpy_engine.trainer import Trainer
from tfs.numpy_engine.transformer import Transformer

GRAD_CLIP = 1.0
MIRROR_STEPS, MIRROR_LR, MIRROR_WARMUP, HELD_OUT_SEQUENCES = 300, 1e-2, 30, 96
TAGS_STEPS, TAGS_LR, TAGS_WARMUP = 500, 3e-3, 50
PAIRS_STEPS, PAIRS_LR, PAIRS_WARMUP = 2500, 1e-3, 100


def mirror_trainer(steps: int = MIRROR_STEPS, seed: int = 0) -> Trainer:
    """The recipe "mirror" of tfs.train, in this engine: one layer, AdamW, warm-up and cosine."""
    cfg = Config(1, 64, 16, 16, 100, n_heads=4, act_fn="gelu_new", seed=seed)
    model = Transformer(cfg)
    return Trainer(
        model,
        AdamW(model.parameters(), lr=MIRROR_LR, betas=(0.9, 0.98), weight_decay=0),
        MirrorBatches(cfg.d_vocab, cfg.n_ctx, seed=seed),
        schedule=warmup_cosine(MIRROR_LR, min(MIRROR_WARMUP, steps), steps),
        grad_clip=GRAD_CLIP,
        held_out=MirrorBatches(cfg.d_vocab, cfg.n_ctx, HELD_OUT_SEQUENCES, seed + 1).at(0),
        seed=seed,
    )


def tags_trainer(steps: int = TAGS_STEPS, seed: int = 0, texts: Texts | None = None) -> Trainer:
    """A tag for each word: sentences from templates, or `texts`."""
    texts = texts or sentences_from_templates(seed)
    model = TokenClassifier(encoder_for(texts, seed), texts.reader.labels)
    return _labels_trainer(model, texts, TAGS_LR, TAGS_WARMUP, steps, seed)


def pairs_trainer(steps: int = PAIRS_STEPS, seed: int = 0, texts: Texts | None = None) -> Trainer:
    """Do two questions ask the same? Pairs from templates, or `texts`."""
    texts = texts or pairs_from_templates(seed)
    model = PairClassifier(keys_like_queries(encoder_for(texts, seed)), texts.reader.labels)
    return _labels_trainer(model, texts, PAIRS_LR, PAIRS_WARMUP, steps, seed)


def encoder_for(texts: Texts, seed: int) -> EncoderOnly:
    """Two post-norm layers of four heads, wide enough for `texts`' vocabulary and lengths."""
    cfg = Config(
        n_layers=2,
        d_model=64,
        n_ctx=texts.n_ctx,
        d_head=16,
        d_vocab=texts.reader.tokenizer.d_vocab,
        n_heads=4,
        d_mlp=64,
        act_fn="gelu_new",
        tie_word_embeddings=True,
        initializer_range=-1.0,
        seed=seed,
    )
    return EncoderOnly(cfg)


def keys_like_queries(encoder: EncoderOnly) -> EncoderOnly:
    """Starts each head with W_K = W_Q, so that it looks for tokens like the one that asks.

    To compare two texts is to find the same words in both, and heads that must first come upon
    that by chance take long. W_Q W_K^T near a multiple of 1 is what Trockman & Kolter 2023
    ("Mimetic Initialization of Self-Attention Layers") start from; only the start is alike.
    """
    for block in encoder.blocks:
        block.attn.W_K.data = block.attn.W_Q.data.copy()
    return encoder


def _labels_trainer(
    model: EncoderClassifier, texts: Texts, lr: float, warmup: int, steps: int, seed: int
) -> Trainer:
    return Trainer(
        model,
        AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=0.01),
        texts.batches,
        label_loss,
        schedule=warmup_cosine(lr, min(warmup, steps), steps),
        grad_clip=GRAD_CLIP,
        held_out=texts.held_out[0],
        seed=seed,
    )
