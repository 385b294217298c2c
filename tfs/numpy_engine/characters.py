"""A text, letter by letter: the batches, the recipe, and what a model of it writes."""

import math

import numpy as np
from jaxtyping import Int

from tfs.numpy_engine.config import Config
from tfs.numpy_engine.data import Batch
from tfs.numpy_engine.optim import AdamW, warmup_cosine
from tfs.numpy_engine.tensor import Tensor, no_grad
from tfs.numpy_engine.trainer import Trainer
from tfs.numpy_engine.transformer import Transformer
from tfs.tokenizers import CharTokenizer

N_CTX, BATCH, CHARACTERS_STEPS = 32, 32, 600
LR, WARMUP_STEPS, GRAD_CLIP = 1e-2, 30, 1.0
LEARNED_FROM = 0.9  # of the text, its first part
HELD_OUT_WINDOWS = 64
SHORTEST = 10 * N_CTX  # of a text: its last tenth must hold a window


class TextBatches:
    """Windows of n_ctx tokens at random places of a text; a batch is (tokens [batch n_ctx],)."""

    def __init__(
        self, tokens: Int[np.ndarray, " pos"], n_ctx: int, batch_size: int, seed: int = 0
    ) -> None:
        """Raises ValueError for a text that is shorter than one window."""
        if len(tokens) < n_ctx:
            raise ValueError(
                f"a part of the text has {len(tokens)} tokens, fewer than n_ctx = {n_ctx}; give a "
                f"longer text: a tenth of it is held out, and needs {n_ctx} as well"
            )
        self.tokens, self.n_ctx, self.batch_size, self.seed = tokens, n_ctx, batch_size, seed

    def at(self, position: int) -> Batch:
        generator = np.random.default_rng((self.seed, position))
        starts = generator.integers(len(self.tokens) - self.n_ctx + 1, size=(self.batch_size, 1))
        return (Tensor(self.tokens[starts + np.arange(self.n_ctx)]),)


def character_trainer(text: str, steps: int = CHARACTERS_STEPS, seed: int = 0) -> Trainer:
    """One layer that writes letter by letter in the manner of `text`, its last tenth held out.

    A token is a letter of CharTokenizer.train(text). Raises ValueError for a text that is too
    short.
    """
    if len(text) < SHORTEST:
        raise ValueError(
            f"the text has {len(text):,} characters; give a longer text, of {SHORTEST} or "
            f"more: a tenth of it is held out, and {N_CTX} are read at a time"
        )
    tokenizer, cut = CharTokenizer.train(text), int(LEARNED_FROM * len(text))
    tokens = np.array(tokenizer.encode(text), dtype=np.int64)
    cfg = Config(1, 64, N_CTX, 16, tokenizer.d_vocab, n_heads=4, act_fn="gelu_new", seed=seed)
    model = Transformer(cfg)
    held_out = TextBatches(tokens[cut:], N_CTX, HELD_OUT_WINDOWS, seed + 1)
    return Trainer(
        model,
        AdamW(model.parameters(), lr=LR, betas=(0.9, 0.98), weight_decay=0),
        TextBatches(tokens[:cut], N_CTX, BATCH, seed),
        schedule=warmup_cosine(LR, min(WARMUP_STEPS, steps), steps),
        grad_clip=GRAD_CLIP,
        held_out=held_out.at(0),
        seed=seed,
    )


def written(
    model: Transformer, start: list[int], n: int, temperature: float = 0.8, seed: int = 0
) -> list[int]:
    """`start`, and n tokens after it, each drawn from what the model makes of the n_ctx before.

    temperature: above 0; what the logits are divided by before they become probabilities.
    """
    draw, tokens = np.random.default_rng(seed), list(start)
    with no_grad():
        for _ in range(n):
            logits = model(Tensor(np.array([tokens[-model.cfg.n_ctx :]])))
            probs = (logits[0, -1] / temperature).softmax(-1).data.astype(np.float64)
            tokens.append(int(draw.choice(len(probs), p=probs / math.fsum(probs))))
    return tokens
