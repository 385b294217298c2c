"""python -m tfs.numpy_engine mirror: train the mirror recipe without torch doing any of it."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tfs.cli.parsing import COUNT, SEED, Parser
from tfs.memory import keep_freed_memory
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.data import MirrorBatches
from tfs.numpy_engine.files import save
from tfs.numpy_engine.optim import AdamW, warmup_cosine
from tfs.numpy_engine.trainer import Trainer
from tfs.numpy_engine.transformer import Transformer
from tfs.tokenizers import IntegerTokenizer

LR, WARMUP_STEPS, GRAD_CLIP = 1e-2, 30, 1.0
HELD_OUT_SEQUENCES = 96


def mirror_trainer(steps: int = 300, seed: int = 0) -> Trainer:
    """The recipe "mirror" of tfs.train, in this engine: one layer, AdamW, warm-up and cosine."""
    cfg = Config(1, 64, 16, 16, 100, n_heads=4, act_fn="gelu_new", seed=seed)
    model = Transformer(cfg)
    return Trainer(
        model,
        AdamW(model.parameters(), lr=LR, betas=(0.9, 0.98), weight_decay=0),
        MirrorBatches(cfg.d_vocab, cfg.n_ctx, seed=seed),
        schedule=warmup_cosine(LR, min(WARMUP_STEPS, steps), steps),
        grad_clip=GRAD_CLIP,
        held_out=MirrorBatches(cfg.d_vocab, cfg.n_ctx, HELD_OUT_SEQUENCES, seed + 1).at(0),
        seed=seed,
    )


def run_mirror(args: argparse.Namespace) -> None:
    trainer, started = mirror_trainer(args.steps, args.seed), time.perf_counter()
    for _ in trainer.steps(args.steps, progress_bar=sys.stderr.isatty()):
        pass
    seconds = time.perf_counter() - started
    reached, floor = trainer.held_out_loss(trainer.held_out), 7 / 15 * math.log(100)
    print(f"held-out loss {reached:.4f}, floor {floor:.4f}, {seconds:.1f} s")
    if args.out is None:
        return
    card = (
        f"# mirror, by numpy\n\nOne layer that writes the second half of a random string as the "
        f"first, mirrored.\n\n- **Training**: {trainer.done:,} updates in {seconds:.1f} s by "
        f"`python -m tfs.numpy_engine mirror`, seed {args.seed}.\n- **Held-out loss**: "
        f"{reached:.4f} nats per token; a perfect model's is {floor:.4f}.\n"
    )
    save(trainer.model, args.out, IntegerTokenizer(trainer.model.cfg.d_vocab), card)
    print(f"saved in {args.out}; tfs.load opens it")


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="python -m tfs.numpy_engine", description="Train a Transformer by numpy.")
    commands = top.add_subparsers(required=True)
    mirror = commands.add_parser("mirror", help="the second half of a string mirrors the first")
    mirror.add_argument("--steps", type=COUNT, default=300)
    mirror.add_argument("--seed", type=SEED, default=0)
    mirror.add_argument("--out", type=Path, help="a directory for the trained model")
    mirror.set_defaults(run=run_mirror)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. A user's mistake ends in one sentence, status 2."""
    keep_freed_memory()
    try:
        args = parser().parse_args(argv)
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"tfs.numpy_engine: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntfs.numpy_engine: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
